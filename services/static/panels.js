/** Each panel from its part of the answers. Ages are told by the server's clock: `now` is in ms. */
import { $, empty, h, s, say } from "./dom.js";
import { bytes, clock, count, rate, span, unit, value } from "./format.js";
import { bars, points, spread, trend } from "./plots.js";
import { spoken, t } from "./text.js";

const QUIET = 30; // seconds without a stored observation after which the flow is quiet
const SUSPECT = new Set(["clock", "range", "stuck", "unit"]);

export function flow(status, now) {
  const { counts, rate: flowRate } = status;
  say($("total"), count(counts.observations));
  const [n, words] = t("perSecond", rate(flowRate.now));
  $("rate-line").replaceChildren(h("b", {}, n), words, counts.exact ? "" : h("span", { class: "tag warn" }, t("estimate")));
  const peak = Math.max(...flowRate.per_second);
  say($("rate-peak"), peak > 0 ? t("peak", count(peak)) : "");
  const plot = $("rate-plot");
  bars(plot, flowRate.per_second, flowRate.now);
  plot.setAttribute("aria-label", t("ratePlot", rate(flowRate.now), count(peak)));
  const lag = status.last_commit === null ? null : (now - Date.parse(status.last_commit)) / 1000;
  const quiet = lag !== null && lag > QUIET;
  say($("last-commit"), lag === null ? t("neverCommit") : t("lastCommit", span(lag)));
  $("last-commit").classList.toggle("stale", quiet);
  document.querySelector(".flow").classList.toggle("old", quiet);
  return { lag, quiet };
}

export function tiles(status, properties) {
  const { counts } = status;
  const each = counts.things ? value(Math.round((counts.datastreams / counts.things) * 10) / 10) : "0";
  const rows = [
    [t("t_things"), counts.things, t("n_streams", each), ""],
    [t("t_streams"), counts.datastreams, properties === null ? " " : t("n_properties", count(properties)), ""],
    [t("t_pending"), counts.pending, t(counts.pending ? "n_pendingSome" : "n_pending"), counts.pending ? "warn" : ""],
    [t("t_dead"), counts.dead_letters, t(counts.dead_letters ? "n_deadSome" : "n_dead"), counts.dead_letters ? "warn" : ""],
  ];
  $("tiles").replaceChildren(
    ...rows.map(([name, n, note, kind]) => h("li", { class: `tile ${kind}` }, h("h3", {}, name), h("p", { class: "v" }, count(n)), h("p", {}, note))),
  );
}

const PROCESS_ORDER = ["gateway", "api", "worker", "telehealth", "simulator"];
const STATE_CLASS = { ready: "ready", starting: "waiting", degraded: "waiting", stopping: "waiting", stopped: "stopped", gone: "gone" };

function processName(name) {
  const kind = PROCESS_ORDER.find((known) => name.startsWith(known));
  return kind ? `${t(`p_${kind}`)}` : name;
}

function facts(process, now) {
  const items = [];
  const heard = process.age;
  if (process.state === "gone") items.push(t("silent", span(heard)));
  else if (process.state !== "stopped") items.push(t("since", span((now - Date.parse(process.started)) / 1000)));
  items.push(`${process.name} · pid ${process.pid}`);
  for (const [key, raw] of Object.entries(process.detail)) {
    const name = t(`d_${key}`);
    if (key === "reasons" && raw && typeof raw === "object") {
      items.push(...Object.entries(raw).map(([what, why]) => `${what}: ${why}`));
    } else if (name && typeof raw === "number") {
      items.push(`${name} ${count(raw)}`);
    }
  }
  return items.join(" · ");
}

export function processes(list, now) {
  const rank = (p) => (PROCESS_ORDER.findIndex((known) => p.name.startsWith(known)) + 99) % 99;
  // Of one that was started again, only the newest run; a stopped or silent older one is history.
  const living = new Set(list.filter((p) => p.state !== "gone" && p.state !== "stopped").map((p) => p.name));
  const shown = list.filter((p) => living.has(p.name) ? p.state !== "gone" && p.state !== "stopped" : p === newestOf(list, p.name));
  shown.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || a.pid - b.pid);
  $("processes-empty").hidden = true;
  if (shown.length === 0) empty($("processes-empty"), t("e_processes"), t("e_processesHow"), "make up");
  say($("processes-note"), shown.length ? t("processesNote", count(shown.filter((p) => p.state === "ready").length), count(shown.length)) : "");
  $("processes").replaceChildren(
    ...shown.map((p) =>
      h("li", { "data-state": STATE_CLASS[p.state] ?? "waiting", class: p.state === "gone" ? "old" : "" },
        h("span", { class: "dot", "aria-hidden": "true" }),
        h("p", {}, h("span", { class: "name" }, processName(p.name)), h("span", { class: "state" }, t(p.state) ?? p.state)),
        h("span", { class: `age ${p.state === "gone" ? "stale" : ""}` }, p.state === "stopped" ? span(p.age) : p.age > 4 ? span(p.age) : ""),
        h("p", { class: "facts" }, facts(p, now)),
      ),
    ),
  );
  return shown;
}

function newestOf(list, name) {
  return list.filter((p) => p.name === name).reduce((a, b) => (Date.parse(a.seen) >= Date.parse(b.seen) ? a : b));
}

const label = (labels, name) => labels[spoken()] || labels.vi || labels.en || name;

export function properties(list) {
  $("properties-empty").hidden = true;
  if (list.length === 0) empty($("properties-empty"), t("e_none"), t("e_noneHow"), "tram simulate");
  const all = list.reduce((n, p) => n + p.datastreams, 0);
  say($("properties-note"), all ? t("fresh", count(list.reduce((n, p) => n + p.fresh, 0)), count(all)) : "");
  $("properties").replaceChildren(
    ...list.map((p) => {
      const words = unit(p.unit);
      return h("tr", { class: p.fresh === 0 ? "old" : "" },
        h("td", {}, label(p.labels, p.property)),
        h("td", { class: "r num t3 wide" }, count(p.datastreams)),
        h("td", { class: "r num" }, h("span", { class: "val" }, value(p.middle)), words ? h("span", { class: "u" }, words) : ""),
        h("td", {}, p.histogram.length ? spread(p.histogram, p.low, p.middle, p.high, t("spreadPlot", count(p.datastreams), value(p.low), value(p.high))) : ""),
        h("td", { class: "r num t3 wide" }, p.low === null ? "" : `${value(p.low)} – ${value(p.high)}`),
      );
    }),
  );
}

export function places(list) {
  const box = $("places-empty");
  box.hidden = true;
  const counted = { live: 0, late: 0, never: 0 };
  for (const place of list) counted[place.state] += 1;
  $("places").toggleAttribute("hidden", list.length === 0);
  $("places-key").hidden = list.length === 0;
  say($("places-note"), list.length ? t("placesNote", count(list.length)) : "");
  if (list.length === 0) {
    empty(box, t("e_places"), t("e_placesHow"));
    return;
  }
  points($("places"), list);
  $("places").setAttribute("aria-label", t("placesPlot", count(counted.live), count(counted.late), count(counted.never)));
  $("places-key").replaceChildren(
    ...Object.keys(counted).filter((state) => counted[state] > 0).map((state) =>
      h("li", {}, s("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, s("circle", { class: state, cx: 5, cy: 5, r: 4 })), h("b", {}, count(counted[state])), t(`k_${state}`)),
    ),
  );
}

function shown(reading) {
  if (reading.result !== null) {
    const words = unit(reading.unit);
    return [h("span", { class: "val" }, value(reading.result)), words ? h("span", { class: "u" }, words) : ""];
  }
  if (typeof reading.value === "boolean") return [h("span", { class: "val" }, t(reading.value ? "yes" : "no"))];
  const text = typeof reading.value === "string" ? reading.value : JSON.stringify(reading.value);
  return [h("span", { class: "val", title: text.slice(0, 200) }, text.slice(0, 40))];
}

function quality(flags) {
  if (flags.length === 0) return [h("span", { class: "plain" }, t("good"))];
  return flags.map((flag) => h("span", { class: `tag ${SUSPECT.has(flag) ? "warn" : ""}` }, t(flag === "range" ? "range_" : flag) ?? flag));
}

const names = new Map();

/** Keeps the labels of properties, which the newest rows do not carry. */
export function learn(list) {
  for (const p of list) names.set(p.property, p.labels);
}

export function newest(list, trends, now) {
  $("newest-empty").hidden = true;
  if (list.length === 0) empty($("newest-empty"), t("e_none"), t("e_noneHow"), "tram simulate");
  say($("newest-note"), list.length ? t("newestNote", count(list.length)) : "");
  $("newest").replaceChildren(
    ...list.map((r) => {
      const age = (now - Date.parse(r.time)) / 1000;
      const results = trends.get(r.datastream);
      return h("tr", { class: age > 900 ? "old stale" : "" },
        h("td", {}, r.label || r.thing, r.label ? h("span", { class: "code wide" }, r.thing) : "", h("span", { class: "under", "aria-hidden": "true" }, label(names.get(r.property) ?? {}, r.property))),
        h("td", { class: "tucked" }, label(names.get(r.property) ?? {}, r.property)),
        h("td", { class: "r num" }, ...shown(r)),
        h("td", { class: "wide" }, results ? trend(results, t("trendPlot", count(results.length))) : ""),
        h("td", { class: "wide" }, ...quality(r.flags)),
        h("td", { class: "r num" }, h("span", { class: "age" }, span(age))),
      );
    }),
  );
}

export function letters(list, kept, now) {
  const box = $("letters-empty");
  box.hidden = true;
  if (list.length === 0) empty(box, t("e_letters"), t("e_lettersHow"));
  say($("letters-note"), list.length ? t("lettersNote", count(kept)) : "");
  $("letters").replaceChildren(
    ...list.map((one) =>
      h("li", {},
        h("p", { class: "line" }, h("span", { class: "tag warn" }, one.reason), h("b", { title: one.topic }, one.topic), h("span", { class: "age" }, span((now - Date.parse(one.at)) / 1000))),
        h("p", { class: "why", title: one.detail }, one.detail),
        h("p", { class: "what" }, one.payload.slice(0, 120)),
      ),
    ),
  );
}

export function foot(status) {
  const { edition, version, size } = status.database;
  say($("edition"), t("foot", t("editionText")[edition] ?? edition, version, bytes(size), status.version));
}

export function tick(date) {
  const element = $("clock");
  say(element, clock(date));
  element.setAttribute("datetime", date.toISOString());
}
