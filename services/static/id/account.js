/** One's own account: profile, password, second factor, sessions, tokens. */
import { $, h } from "../dom.js";
import { get, patch, post, reason, remove } from "./api.js";
import { field, problem, roleText, top } from "./shell.js";
import { browser, moment, t } from "./words.js";

const shown = { note: null, enrolment: null, codes: null, token: null };

async function draw() {
  const me = await top(draw);
  if (!me.signed_in) return;
  document.title = `${t("n_account")} · Trạm`;
  const [account, sessions, tokens] = await Promise.all([get("/api/account"), get("/api/account/sessions"), get("/api/account/tokens")]);
  $("main").replaceChildren(
    h("h1", { class: "sr" }, t("n_account")),
    me.restricted ? h("p", { class: "note warn", role: "status" }, t(me.restricted.replace("-", "_"))) : "",
    shown.note ? h("p", { class: "note good", role: "status" }, shown.note) : "",
    h("div", { class: "two" }, h("div", { class: "stack" }, profile(account, me), factor(account)), h("div", { class: "stack" }, password(account), places(sessions))),
    programs(tokens, me));
  shown.note = null;
}

/** Runs what a button or form does, and says what went wrong beside it. */
async function act(element, work) {
  element.querySelectorAll(":scope > .problem").forEach((old) => old.remove());
  try {
    await work();
    await draw();
  } catch (error) {
    element.append(problem(reason(error)));
  }
}

function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form, work);
  });
  return form;
}

function button(label, work, box, main = false) {
  const made = h("button", { type: "button", class: main ? "btn main" : "btn" }, label);
  made.addEventListener("click", () => act(box ?? made.parentElement, work));
  return made;
}

function profile(account, me) {
  const form = h("form", { class: "box" }, h("h2", {}, t("profile")),
    h("p", { class: "lead" }, account.login),
    field("name", t("name"), { value: account.name, required: true, maxlength: 200, autocomplete: "name" }),
    field("email", t("email"), { value: account.email, type: "email", maxlength: 254, autocomplete: "email" }),
    h("div", {}, h("p", { class: "label" }, t("roles")), ...(me.roles.length ? me.roles.map((role) => h("span", { class: "chip" }, roleText(role))) : [h("p", { class: "hint" }, t("noRoles"))])),
    h("button", { type: "submit", class: "btn" }, t("save")));
  return onSubmit(form, async () => {
    await patch("/api/account", { name: form.elements.name.value, email: form.elements.email.value, language: document.documentElement.lang });
    shown.note = t("saved");
  });
}

function password(account) {
  if (!account.has_password) return h("section", { class: "box" }, h("h2", {}, t("newPassword")), h("p", { class: "lead" }, t("providerOnly")));
  const form = h("form", { class: "box" }, h("h2", {}, t("newPassword")),
    h("input", { type: "text", name: "username", autocomplete: "username", value: account.login, hidden: true }),
    field("current", t("current"), { type: "password", required: true, autocomplete: "current-password" }),
    field("new", t("next"), { type: "password", required: true, autocomplete: "new-password", minlength: 12, maxlength: 256 }, t("nextHint")),
    h("button", { type: "submit", class: "btn" }, t("newPassword")));
  return onSubmit(form, async () => {
    await post("/api/account/password", { current: form.elements.current.value, new: form.elements.new.value });
    shown.note = t("changed");
  });
}

function factor(account) {
  const box = h("section", { class: "box" }, h("h2", {}, t("factor")));
  if (shown.codes) {
    box.append(h("p", { class: "note good" }, t("enrolled")), h("ul", { class: "codes" }, ...shown.codes.map((code) => h("li", {}, code))));
    shown.codes = null;
  }
  if (shown.enrolment) {
    const picture = h("div", { class: "qr" });
    // The one picture that is markup: made by our own server for this very page.
    picture.append(document.importNode(new DOMParser().parseFromString(shown.enrolment.qr, "image/svg+xml").documentElement, true));
    picture.firstElementChild.setAttribute("role", "img");
    picture.firstElementChild.setAttribute("aria-label", t("scan"));
    const form = h("form", {}, field("first", t("firstCode"), { class: "code", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 10 }),
      h("p", {}), h("button", { type: "submit", class: "btn main" }, t("go")));
    box.append(h("p", { class: "lead" }, t("scan")), picture, h("p", { class: "hint" }, t("typed")), h("p", { class: "secret" }, shown.enrolment.secret),
      onSubmit(form, async () => {
        shown.codes = (await post("/api/account/totp/confirm", { code: form.elements.first.value })).codes;
        shown.enrolment = null;
      }));
    return box;
  }
  const enrol = async () => {
    shown.enrolment = await post("/api/account/totp");
  };
  if (!account.second_factor) {
    box.append(h("p", { class: "lead" }, t("factorOff")), h("div", {}, button(t("begin"), enrol, box, true)));
  } else {
    box.append(h("p", { class: "lead" }, t("factorOn", account.recovery_codes)), h("div", { class: "row" },
      button(t("again"), enrol, box), button(t("newCodes"), async () => {
        shown.codes = (await post("/api/account/recovery-codes")).codes;
      }, box), button(t("off"), () => remove("/api/account/totp"), box)));
  }
  return box;
}

function places(sessions) {
  const box = h("section", { class: "box" }, h("h2", {}, t("sessions")));
  box.append(h("ul", { class: "list" }, ...sessions.map((one) => h("li", {},
    h("span", { class: "what" }, browser(one.agent) || one.address, h("small", {}, t("sessionLine", one.address, moment(one.seen)))),
    one.current ? h("span", { class: "chip good" }, t("here")) : button(t("end"), () => remove(`/api/account/sessions/${one.id}`), box)))),
    h("div", {}, button(t("everywhereOut"), async () => {
      await remove("/api/account/sessions");
      location.assign("/sign-in");
    }, box)));
  return box;
}

function programs(tokens, me) {
  const box = h("section", { class: "box" }, h("h2", {}, t("tokens")), h("p", { class: "lead" }, t("tokenLead")));
  if (shown.token) {
    box.append(h("p", { class: "note warn" }, t("once")), h("p", { class: "secret" }, shown.token));
    shown.token = null;
  }
  const options = me.roles.map((role) => h("option", { value: `${role.role} ${role.facilities ? "facility" : "area"}` }, roleText(role)));
  const form = h("form", {}, h("div", { class: "row" },
    field("label", t("label"), { required: true, maxlength: 100 }),
    h("div", { class: "field" }, h("label", { for: "role" }, t("role")), h("select", { id: "role", name: "role" }, ...(options.length ? options : [h("option", { value: "citizen area" }, "—")]))),
    field("place", t("place"), { maxlength: 200, placeholder: t("placeHint") }),
    field("days", t("days"), { type: "number", min: 1, max: 366, value: 90 }),
    h("button", { type: "submit", class: "btn" }, t("make"))));
  onSubmit(form, async () => {
    const [role, kind] = form.elements.role.value.split(" ");
    const place = form.elements.place.value.trim() || (kind === "facility" ? me.roles.find((r) => r.role === role)?.facilities?.join(",") ?? "" : "");
    const made = await post("/api/account/tokens", { label: form.elements.label.value, role: place && role !== "citizen" ? `${role}:${kind}=${place}` : role, days: Number(form.elements.days.value) });
    shown.token = made.secret;
  });
  const now = Date.now();
  box.append(form, tokens.length ? h("ul", { class: "list" }, ...tokens.map((one) => {
    const over = one.revoked ? t("revoked") : Date.parse(one.expires) < now ? t("expired") : "";
    const where = [...(one.areas ?? []), ...(one.facilities ?? [])].join(", ") || t("everywhere");
    return h("li", {}, h("span", { class: "what" }, one.label, h("small", {}, `${one.role} · ${where} · ${t("until", moment(one.expires))} · ${one.seen ? t("used", moment(one.seen)) : t("neverUsed")}`)),
      over ? h("span", { class: "chip" }, over) : button(t("revoke"), () => remove(`/api/account/tokens/${one.id}`), box));
  })) : h("p", { class: "hint" }, t("noTokens")));
  return box;
}

await draw();
