/** People and their roles, for who looks after them. */
import { $, h } from "../dom.js";
import { get, post, reason, remove } from "./api.js";
import { field, problem, roleText, top } from "./shell.js";
import { moment, t } from "./words.js";

const state = { search: "", rows: [], next: null, note: null, secret: null };
let kinds = [];

async function load(more = false) {
  const query = new URLSearchParams({ q: state.search, limit: "50", ...(more && state.next ? { cursor: state.next } : {}) });
  const page = await get(`/api/people?${query}`);
  state.rows = more ? [...state.rows, ...page.items] : page.items;
  state.next = page.next;
}

async function draw() {
  const me = await top(draw);
  if (!me.signed_in) return;
  document.title = `${t("people")} · Trạm`;
  const search = field("q", t("search"), { type: "search", value: state.search, maxlength: 200 });
  const form = h("form", { class: "row", role: "search" }, search, h("button", { type: "submit", class: "btn" }, t("find")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    state.search = form.elements.q.value;
    await load();
    draw();
  });
  const add = h("button", { type: "button", class: "btn main" }, t("add"));
  add.addEventListener("click", adding);
  const rows = state.rows.map((one) => {
    const open = h("button", { type: "button", class: "btn small", "aria-label": `${t("open")} ${one.login}` }, t("open"));
    open.addEventListener("click", () => person(one.id));
    return h("tr", {},
      h("td", {}, h("b", {}, one.name), h("br"), h("span", { class: "t3" }, one.login)),
      h("td", {}, ...one.roles.map((role) => h("span", { class: "chip" }, roleText(role)))),
      h("td", {}, one.disabled ? h("span", { class: "chip danger" }, t("disabled")) : "", one.demo ? h("span", { class: "chip warn" }, t("demoTag")) : "", one.second_factor ? h("span", { class: "chip good" }, t("twoFactor")) : ""),
      h("td", { "data-l": t("lastSeen") }, one.seen ? moment(one.seen) : t("never")), h("td", { class: "r" }, open));
  });
  const more = h("button", { type: "button", class: "btn" }, t("more"));
  more.addEventListener("click", async () => {
    await load(true);
    draw();
  });
  $("main").replaceChildren(h("h1", { class: "sr" }, t("people")),
    h("div", { class: "row" }, form, add),
    rows.length ? h("div", { class: "tablebox", tabindex: 0, role: "region", "aria-label": t("people") }, h("table", {}, h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, t("person")), h("th", { scope: "col" }, t("role")), h("th", { scope: "col" }, h("span", { class: "sr" }, t("outcome"))), h("th", { scope: "col" }, t("lastSeen")), h("th", { scope: "col" }, h("span", { class: "sr" }, t("open"))))), h("tbody", {}, ...rows)))
      : h("p", { class: "box" }, t("nobody")), state.next ? more : "");
}

function dialog(title, ...content) {
  const close = h("button", { type: "button", class: "btn" }, t("close"));
  const made = h("dialog", { "aria-label": title }, h("h2", {}, title), ...content, close);
  close.addEventListener("click", () => made.close());
  made.addEventListener("close", async () => {
    made.remove();
    await load();
    draw();
  });
  document.body.append(made);
  made.showModal();
  return made;
}

function roleFields(prefix) {
  const select = h("select", { id: `${prefix}-role` }, ...kinds.map((kind) => h("option", { value: kind.role }, kind.label[document.documentElement.lang === "en" ? "en" : "vi"])));
  const place = field(`${prefix}-place`, "", { maxlength: 200 });
  const label = () => {
    const kind = kinds.find((one) => one.role === select.value);
    place.querySelector("label").textContent = t(kind?.place === "facility" ? "facilityCode" : "areaCode");
  };
  select.addEventListener("change", label);
  label();
  const value = () => {
    const kind = kinds.find((one) => one.role === select.value);
    const code = place.querySelector("input").value.trim();
    return code ? `${kind.role}:${kind.place}=${code}` : kind.role;
  };
  return { fields: [h("div", { class: "field" }, h("label", { for: `${prefix}-role` }, t(prefix === "first" ? "firstRole" : "role")), select), place], value };
}

function adding() {
  const role = roleFields("first");
  const form = h("form", {}, field("login", t("login"), { required: true, maxlength: 64, autocapitalize: "none" }), field("name", t("name"), { required: true, maxlength: 200 }), ...role.fields,
    h("button", { type: "submit", class: "btn main" }, t("add")));
  for (const element of [...form.children].slice(1)) element.classList.add("field");
  const made = dialog(t("add"), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector(".problem")?.remove();
    try {
      const answer = await post("/api/people", { login: form.elements.login.value, name: form.elements.name.value, role: role.value() });
      form.replaceChildren(h("p", { class: "note warn" }, t("added", answer.login), " ", t("once")), h("p", { class: "secret" }, answer.password));
    } catch (error) {
      form.append(problem(reason(error)));
    }
  });
  return made;
}

async function person(id) {
  const who = await get(`/api/people/${id}`);
  const role = roleFields("more");
  const box = h("div", {});
  const act = async (work) => {
    box.querySelectorAll(".problem").forEach((old) => old.remove());
    try {
      const note = await work();
      made.close();
      if (note) dialog(who.name, h("p", { class: "note warn" }, note.text, " ", t("once")), h("p", { class: "secret" }, note.secret));
    } catch (error) {
      box.append(problem(reason(error)));
    }
  };
  const button = (label, work) => {
    const one = h("button", { type: "button", class: "btn small" }, label);
    one.addEventListener("click", () => act(work));
    return one;
  };
  box.append(h("p", { class: "hint" }, who.login),
    h("ul", { class: "list" }, ...who.grants.map((given) => h("li", {}, h("span", { class: "what" }, roleText(given), h("small", {}, t("givenBy", given.granted_by, moment(given.granted)))),
      button(t("take"), () => remove(`/api/people/${id}/grants/${given.id}`))))),
    h("div", { class: "row" }, ...role.fields, button(t("give"), () => post(`/api/people/${id}/grants`, { role: role.value() }).then(() => null))),
    h("div", { class: "row" }, button(t("reset"), async () => {
      const answer = await post(`/api/people/${id}/password`);
      return { text: t("resetDone", answer.login), secret: answer.password };
    }), who.disabled ? button(t("enable"), () => post(`/api/people/${id}/enable`)) : button(t("disable"), () => post(`/api/people/${id}/disable`))));
  const made = dialog(who.name, box);
}

kinds = await get("/api/roles");
await load().catch((error) => $("main").replaceChildren(problem(reason(error))));
await draw();
