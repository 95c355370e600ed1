/** The audit and the security events: search, verify, export. */
import { $, h } from "../dom.js";
import { get, reason } from "./api.js";
import { field, problem, top } from "./shell.js";
import { moment, t } from "./words.js";

const state = { actor: "", operation: "", target: "", outcome: "", rows: [], next: null, events: [], verified: null };

async function load(more = false) {
  const query = new URLSearchParams({ limit: "50" });
  for (const name of ["actor", "operation", "target", "outcome"]) if (state[name]) query.set(name, state[name]);
  if (more && state.next) query.set("cursor", state.next);
  const page = await get(`/api/audit?${query}`);
  state.rows = more ? [...state.rows, ...page.items] : page.items;
  state.next = page.next;
}

function table(label, heads, rows) {
  return h("div", { class: "tablebox", tabindex: 0, role: "region", "aria-label": label },
    h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, t(head))))), h("tbody", {}, ...rows)));
}

const TONE = { allowed: "good", refused: "warn", failed: "danger", info: "", notice: "", warning: "warn", alert: "danger" };

async function draw() {
  const me = await top(draw);
  if (!me.signed_in) return;
  document.title = `${t("audit")} · Trạm`;
  const outcome = h("select", { id: "outcome", name: "outcome" }, ...["", "allowed", "refused", "failed"].map((value) => h("option", { value, selected: state.outcome === value }, value ? t(value) : t("any"))));
  const form = h("form", { class: "row", role: "search" },
    ...["actor", "operation", "target"].map((name) => field(name, t(name), { value: state[name], maxlength: 200 })),
    h("div", { class: "field" }, h("label", { for: "outcome" }, t("outcome")), outcome), h("button", { type: "submit", class: "btn" }, t("find")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const name of ["actor", "operation", "target", "outcome"]) state[name] = form.elements[name].value.trim();
    await load();
    draw();
  });
  const verify = h("button", { type: "button", class: "btn" }, t("verify"));
  verify.addEventListener("click", async () => {
    verify.disabled = true;
    try {
      state.verified = await get("/api/audit/verify");
    } catch (error) {
      form.append(problem(reason(error)));
    }
    draw();
  });
  const rows = state.rows.map((row) => h("tr", {},
    h("td", { class: "num" }, String(row.seq)), h("td", {}, moment(row.at)), h("td", {}, row.actor_name, h("br"), h("span", { class: "t3" }, row.actor)),
    h("td", { "data-l": t("operation") }, row.operation), h("td", { "data-l": t("target") }, row.target), h("td", {}, h("span", { class: `chip ${TONE[row.outcome]}` }, t(row.outcome))), h("td", { "data-l": t("why") }, row.why), h("td", { "data-l": t("origin") }, row.origin)));
  const english = document.documentElement.lang === "en" ? "en" : "vi";
  const events = state.events.map((row) => h("tr", {},
    h("td", {}, moment(row.at)), h("td", {}, h("span", { class: `chip ${TONE[row.severity]}` }, row.label[english]), h("br"), h("span", { class: "t3" }, row.code)), h("td", { "data-l": t("subject") }, row.subject), h("td", { "data-l": t("origin") }, row.origin)));
  const more = h("button", { type: "button", class: "btn" }, t("more"));
  more.addEventListener("click", async () => {
    await load(true);
    draw();
  });
  const whole = state.verified;
  $("main").replaceChildren(h("h1", { class: "sr" }, t("audit")), form,
    h("div", { class: "row" }, verify, h("a", { class: "btn", href: "/api/audit/export", download: "audit.jsonl" }, t("exportIt"))),
    whole ? h("p", { class: whole.faults.length ? "note warn" : "note good", role: "status" }, whole.faults.length ? `${t("faulty", whole.faults.length)}: ${whole.faults.map((f) => f.message).join("; ")}` : t("verified", whole.rows, whole.anchors)) : "",
    rows.length ? table(t("audit"), ["seq", "at", "actor", "operation", "target", "outcome", "why", "origin"], rows) : h("p", { class: "box" }, t("nothing")), state.next ? more : "",
    h("h2", {}, t("events")), table(t("events"), ["at", "event", "subject", "origin"], events));
}

try {
  [state.events] = await Promise.all([get("/api/events/security?limit=50"), load()]);
} catch (error) {
  $("main").replaceChildren(problem(reason(error)));
}
await draw();
