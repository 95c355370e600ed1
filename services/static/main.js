/** The first page: three questions asked again and again, and the panels they fill. */
import { $, say } from "./dom.js";
import { clock, delay, span } from "./format.js";
import * as panels from "./panels.js";
import { ask, Failure, poll } from "./poll.js";
import { fill, speak, spoken, t } from "./text.js";

const ROWS = 16;
const LETTERS = 7;
const root = document.documentElement;
const seen = { status: null, overview: null, newest: null, letters: null, trends: new Map() };
let offset = 0; // the server's clock less this machine's, in ms
let lost = null; // { since: Date, kind } while the answers stay away
let spokenStates = new Map();

const now = () => Date.now() + offset;

function draw() {
  document.title = `${t("title")} · Trạm`;
  if (seen.status) {
    const { lag, quiet } = panels.flow(seen.status, now());
    panels.tiles(seen.status, seen.overview ? seen.overview.properties.length : null);
    announce(panels.processes(seen.status.processes, now()));
    panels.foot(seen.status);
    live(lag, quiet);
  }
  if (seen.overview) {
    panels.learn(seen.overview.properties);
    panels.properties(seen.overview.properties);
    panels.places(seen.overview.places);
  }
  if (seen.letters) panels.letters(seen.letters, seen.status?.counts.dead_letters ?? seen.letters.length, now());
  if (seen.newest) panels.newest(seen.newest, seen.trends, now());
}

function live(lag, quiet) {
  const state = lost ? "off" : lag === null ? "quiet" : quiet ? "quiet" : "ok";
  $("live").dataset.state = state;
  say($("live-text"), lost ? t("off") : lag === null ? t("idle") : quiet ? t("quiet", span(lag)) : t("live-lag", delay(seen.status.lag ?? 0)));
}

/** Says changes of a process's state to who listens, not every beat. */
function announce(list) {
  const states = new Map(list.map((p) => [`${p.name} ${p.pid}`, p.state]));
  const changed = list.filter((p) => spokenStates.size && spokenStates.get(`${p.name} ${p.pid}`) !== p.state);
  if (changed.length) say($("say"), changed.map((p) => `${p.name}: ${t(p.state)}`).join(", "));
  spokenStates = states;
}

function banner() {
  const element = $("banner");
  if (!lost) {
    if (!element.hidden) say($("say"), t("back"));
    element.hidden = true;
    return;
  }
  const key = lost.kind === "problem" ? "b_db" : lost.kind === "offline" ? "b_offline" : "b_away";
  say($("banner-title"), t(key));
  say($("banner-text"), t(key === "b_db" ? "b_dbSince" : "b_awaySince", clock(lost.since), span((Date.now() - lost.since) / 1000)));
  element.hidden = false;
}

function arrived() {
  lost = null;
  banner();
  $("main").removeAttribute("aria-busy");
}

function failed(failure) {
  if (failure.problem?.status === 401) location.assign("/sign-in");
  lost = lost ? { since: lost.since, kind: failure.kind } : { since: new Date(), kind: failure.kind };
  banner();
  live(null, true);
}

const status = poll(() => "/api/status", 1000, (body) => {
  offset = Date.parse(body.at) - Date.now();
  seen.status = body;
  arrived();
  draw();
}, failed);

const overview = poll(() => "/api/overview", 5000, (body) => {
  seen.overview = body;
  draw();
}, () => {});

const letters = poll(() => `/api/dead-letters?limit=${LETTERS}`, 5000, (body) => {
  seen.letters = body.items;
  draw();
}, () => {});

const newest = poll(() => `/api/observations/newest?limit=${ROWS * 2}`, 2500, async (body) => {
  seen.newest = distinct(body);
  const ids = [...new Set(seen.newest.filter((r) => r.result !== null).map((r) => r.datastream))];
  if (ids.length) {
    try {
      const trends = await ask(`/api/trends?${ids.map((id) => `id=${id}`).join("&")}`);
      seen.trends = new Map(trends.map((one) => [one.datastream, one.results]));
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // the rows stand without their plots
    }
  }
  draw();
}, () => {});

/** One row a Datastream: its newest. */
function distinct(list) {
  const had = new Set();
  return list.filter((r) => !had.has(r.datastream) && had.add(r.datastream)).slice(0, ROWS);
}

$("retry").addEventListener("click", () => [status, overview, letters, newest].forEach((one) => one.now()));

function press() {
  const chosen = { lang: root.lang, theme: root.dataset.theme, density: root.dataset.density };
  for (const button of document.querySelectorAll("[data-set]")) {
    button.setAttribute("aria-pressed", String(chosen[button.dataset.set] === button.dataset.value));
  }
}

for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => {
    const { set, value } = button.dataset;
    if (set === "lang") {
      root.lang = value;
      speak(value);
      fill();
    } else {
      root.dataset[set] = value;
    }
    try {
      localStorage.setItem(`tram.${set}`, value);
    } catch {
      // Private windows: the choice lasts as long as the page.
    }
    press();
    banner();
    draw();
  });
}

speak(root.lang === "en" ? "en" : "vi");
if (spoken() === "en") fill();
press();
panels.tick(new Date(now()));
setInterval(() => {
  panels.tick(new Date(now()));
  banner();
  if (lost) draw(); // ages go on while the answers stay away
}, 1000);
