/** How one is told of alarms: channels, preferences, what was sent. */
import { $, h } from "../dom.js";
import { call, get, patch, post, reason, remove } from "./api.js";
import { w } from "./notice-words.js";
import { field, problem, top } from "./shell.js";
import { moment } from "./words.js";

const BASE = "/api/notifications";
const shown = { note: null, warning: null, secret: null };

async function draw() {
  const me = await top(draw);
  if (!me.signed_in) return;
  document.title = `${w("title")} · Trạm`;
  const [channels, wishes, log] = await Promise.all([get(`${BASE}/channels`), get(`${BASE}/preferences`), get(`${BASE}/log?limit=50`)]);
  $("main").replaceChildren(
    h("h1", { class: "sr" }, w("title")),
    shown.note ? h("p", { class: "note good", role: "status" }, shown.note) : "",
    shown.warning ? problem(shown.warning) : "",
    shown.secret ? h("div", {}, h("p", { class: "note warn" }, w("secret")), h("p", { class: "secret" }, shown.secret)) : "",
    h("div", { class: "two" }, h("div", {}, list(channels), adding()), preferences(wishes)), sent(log));
  shown.note = shown.warning = shown.secret = null;
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

function button(label, work, box) {
  const made = h("button", { type: "button", class: "btn small" }, label);
  made.addEventListener("click", () => act(box, work));
  return made;
}

function form(children, work) {
  const made = h("form", { class: "row" }, ...children);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    act(made, () => work(made.elements));
  });
  return made;
}

function list(channels) {
  const box = h("section", { class: "box" }, h("h2", {}, w("channels")), h("p", { class: "lead" }, w("lead")));
  if (!channels.length) box.append(h("p", { class: "hint" }, w("none")));
  else box.append(h("ul", { class: "list" }, ...channels.map(one)));
  return box;
}

function one(channel) {
  const path = `${BASE}/channels/${channel.id}`;
  const state = !channel.enabled ? ["", "isOff"] : !channel.confirmed ? ["warn", "waits"] : channel.failures ? ["danger", "failed"] : ["good", "works"];
  const told = [
    channel.delivered ? w("delivered", moment(channel.delivered)) : "",
    channel.failures ? w("failing", channel.failures, channel.error) : "",
    channel.dropped ? w("dropped", channel.dropped) : "",
  ].filter(Boolean).join(" · ");
  const item = h("li", {}, h("span", { class: "what" }, `${w(channel.kind)}: ${channel.label || short(channel)}`, h("small", {}, told)),
    h("span", { class: `chip ${state[0]}` }, w(state[1])));
  if (!channel.confirmed) {
    const id = `code-${channel.id}`;
    item.append(form([field(id, w("code", channel.address), { inputmode: "numeric", pattern: "\\d{6}", maxlength: 6, required: true, autocomplete: "one-time-code" }),
      h("button", { type: "submit", class: "btn" }, w("confirm"))], (e) => post(`${path}/confirm`, { code: e[id].value })));
  } else if (channel.enabled) {
    item.append(button(w("test"), async () => {
      await post(`${path}/test`);
      shown.note = w("tested");
    }, item));
  }
  item.append(button(w(channel.enabled ? "off" : "on"), () => patch(path, { enabled: !channel.enabled }), item), button(w("remove"), () => remove(path), item));
  return item;
}

/** A push endpoint says nothing to a person but whose it is. */
function short(channel) {
  return channel.kind === "push" ? new URL(channel.address).host : channel.address;
}

function adding() {
  const box = h("section", { class: "box" },
    form([field("address", w("address"), { type: "email", required: true, maxlength: 254, autocomplete: "email" }), h("button", { type: "submit", class: "btn" }, w("addEmail"))],
      (e) => post(`${BASE}/channels`, { kind: "email", address: e.address.value })),
    form([field("url", w("url"), { type: "url", required: true, maxlength: 2000 }), h("button", { type: "submit", class: "btn" }, w("addWebhook"))], async (e) => {
      shown.secret = (await post(`${BASE}/channels`, { kind: "webhook", address: e.url.value })).secret;
    }));
  if ("serviceWorker" in navigator && "PushManager" in window) box.append(h("div", {}, button(w("addPush"), subscribe, box)));
  else box.append(h("p", { class: "hint" }, w("noPush")));
  return box;
}

async function subscribe() {
  const { key } = await get(`${BASE}/push-key`);
  let found;
  try {
    await navigator.serviceWorker.register("/static/push-worker.js");
    const registration = await navigator.serviceWorker.getRegistration("/static/push-worker.js");
    found = (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })).toJSON();
  } catch {
    shown.warning = w("denied");
    return;
  }
  await post(`${BASE}/channels`, { kind: "push", address: found.endpoint, p256dh: found.keys.p256dh, auth: found.keys.auth });
}

function check(id, label, on) {
  const input = h("input", { id, name: id, type: "checkbox" });
  input.checked = on;
  return h("label", { class: "check", for: id }, input, label);
}

function preferences(wishes) {
  const select = h("select", { id: "least", name: "least" }, ...["low", "medium", "high", "critical"].map((word) => h("option", { value: word }, w(word))));
  select.value = wishes.least;
  const box = h("section", { class: "box" }, h("h2", {}, w("wishes")));
  const made = form([
    check("enabled", w("enabled"), wishes.enabled),
    h("div", { class: "field" }, h("label", { for: "least" }, w("least")), select),
    field("areas", w("areas"), { value: wishes.areas.join(", "), maxlength: 2000 }, w("areasHint")),
    field("from", w("from"), { type: "time", value: wishes.quiet_from ?? "" }), field("until", w("until"), { type: "time", value: wishes.quiet_until ?? "" }),
    check("passes", w("passes"), wishes.critical_passes), check("returned", w("returned"), wishes.returned),
    field("flood", w("flood"), { type: "number", min: 1, max: 100, value: wishes.flood }),
    h("button", { type: "submit", class: "btn main" }, w("save"))], async (e) => {
    await call("PUT", `${BASE}/preferences`, {
      ...wishes, enabled: e.enabled.checked, least: e.least.value, areas: e.areas.value.split(",").map((code) => code.trim()).filter(Boolean),
      quiet_from: e.from.value || null, quiet_until: e.until.value || null, critical_passes: e.passes.checked, returned: e.returned.checked, flood: Number(e.flood.value),
    });
    shown.note = w("saved");
  });
  box.append(made);
  return box;
}

function sent(log) {
  const box = h("section", { class: "box" }, h("h2", {}, w("log")));
  const rows = h("ul", { class: "list" });
  const english = document.documentElement.lang === "en";
  const kinds = { sent: "good", failed: "danger", dropped: "warn", waiting: "" };
  const add = (items) => rows.append(...items.map((entry) => h("li", {},
    h("span", { class: "what" }, (english ? entry.text_en : entry.text_vi) || w(`kind_${entry.kind}`),
      h("small", {}, [moment(entry.created), w(entry.to_kind), entry.error].filter(Boolean).join(" · "))),
    h("span", { class: `chip ${kinds[entry.state]}` }, w(entry.state === "dropped" ? "gone" : entry.state)))));
  let next = log.next;
  add(log.items);
  box.append(log.items.length ? rows : h("p", { class: "hint" }, w("empty")));
  if (next) {
    const more = h("button", { type: "button", class: "btn" }, w("more"));
    more.addEventListener("click", async () => {
      const page = await get(`${BASE}/log?limit=50&cursor=${encodeURIComponent(next)}`);
      add(page.items);
      next = page.next;
      more.hidden = !next;
    });
    box.append(more);
  }
  return box;
}

await draw();
