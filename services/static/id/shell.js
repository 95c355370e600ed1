/** What these pages share: language and theme, the pages one may open, signing out. */
import { $, h } from "../dom.js";
import { get, remove } from "./api.js";
import { t } from "./words.js";

const root = document.documentElement;
const ICONS = {
  dark: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.500 10.500",
  light: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 3v2M12 19v2M3 12h2M19 12h2",
  contrast: "M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16M12 4v16",
};

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

export const warning = () => icon("M12 4 3 20h18zM12 10v4M12 17h.01");

/** The switches of language and theme; `redraw` after a change. */
export function switches(redraw) {
  const group = (name, label, choices) => h("div", { class: "seg", role: "group", "aria-label": t(label) }, ...choices.map(([value, text, shown]) => {
    const pressed = (name === "lang" ? root.lang : root.dataset.theme) === value;
    const button = h("button", { type: "button", "aria-pressed": String(pressed), "aria-label": text }, shown);
    button.addEventListener("click", () => {
      if (name === "lang") root.lang = value;
      else root.dataset.theme = value;
      try {
        localStorage.setItem(`tram.${name}`, value);
      } catch {
        // Private windows: the choice lasts as long as the page.
      }
      redraw();
    });
    return button;
  }));
  return h("div", { class: "switches" },
    group("lang", "language", [["vi", "Tiếng Việt", "VI"], ["en", "English", "EN"]]),
    group("theme", "theme", ["dark", "light", "contrast"].map((name) => [name, t(name), icon(ICONS[name])])));
}

const PAGES = [["/ui/wall/", "n_wall", "overview.read"], ["/flow", "n_flow", "overview.read"], ["/account", "n_account", ""], ["/notifications", "n_notices", "notifications.receive"], ["/people", "n_people", "people.read"], ["/audit", "n_audit", "audit.read"]];

/** Draws the top of a page; returns who is there. */
export async function top(redraw) {
  const me = await get("/api/session");
  if (!me.signed_in) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    return me;
  }
  const asked = PAGES.map(([, , operation]) => operation).filter(Boolean);
  const may = await get(`/api/me/may?${asked.map((name) => `operation=${name}`).join("&")}`);
  const links = PAGES.filter(([, , operation]) => !operation || may[operation]).map(([path, label]) =>
    h("a", { href: path, "aria-current": path === location.pathname ? "page" : null }, t(label)));
  const out = h("button", { type: "button", class: "btn small" }, t("n_out"));
  out.addEventListener("click", async () => {
    const { provider } = await remove("/api/session");
    location.assign(provider ?? "/sign-in");
  });
  $("top").replaceChildren(
    h("a", { class: "brand", href: "/account", "aria-label": "Trạm" }, h("img", { src: "/static/mark.svg", width: 26, height: 26, alt: "" }), "Trạm"),
    h("nav", { "aria-label": t("pages") }, ...links), switches(redraw), out);
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  return me;
}

export function problem(text) {
  return h("p", { class: "problem", role: "alert" }, warning(), h("span", {}, text));
}

export function field(id, label, attributes = {}, hint = "") {
  const input = h("input", { id, name: id, "aria-describedby": hint ? `${id}-hint` : null, ...attributes });
  return h("div", { class: "field" }, h("label", { for: id }, label), input, hint ? h("small", { id: `${id}-hint` }, hint) : "");
}

/** "Operator · 05482" of a role. */
export function roleText(role) {
  const label = role.label[root.lang === "en" ? "en" : "vi"];
  const place = [...(role.areas ?? []), ...(role.facilities ?? [])].join(", ");
  return `${label} · ${place || t("everywhere")}`;
}
