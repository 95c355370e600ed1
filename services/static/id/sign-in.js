/** Signing in: name and password, then the code where there is a second factor; or at an identity provider. */
import { $, h } from "../dom.js";
import { get, post, reason, Refused } from "./api.js";
import { field, problem, switches } from "./shell.js";
import { t } from "./words.js";

const asked = new URLSearchParams(location.search);
const state = { step: "password", me: null, problem: asked.get("problem") ? "provider" : "", login: "" };

/** A page of this site to go on to. */
function after() {
  const next = asked.get("next") ?? "/";
  return next.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}

function draw() {
  document.title = `${t("signIn")} · Trạm`;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  $("switches").replaceChildren(switches(draw));
  $("form").replaceChildren(...(state.step === "code" ? code() : password()));
  document.querySelector("#form input")?.focus();
}

function said() {
  return state.problem ? problem(state.problem === "provider" ? t("p_provider") : state.problem) : "";
}

function password() {
  const wrong = state.problem && state.problem !== "provider";
  const form = h("form", {},
    field("login", t("login"), { autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, maxlength: 200, value: state.login }),
    field("password", t("password"), { type: "password", autocomplete: "current-password", required: true, maxlength: 1024, "aria-invalid": wrong ? "true" : null }),
    said(), h("button", { type: "submit", class: "btn main wide" }, t("signIn")));
  form.addEventListener("submit", (event) => send(event, form, async () => {
    state.login = form.login.value;
    return post("/api/session", { login: form.login.value, password: form.password.value });
  }));
  const providers = (state.me?.providers ?? []).map((name) =>
    h("a", { class: "btn wide", href: `/auth/oidc/start?next=${encodeURIComponent(after())}` }, t("continueWith", name)));
  return [h("div", {}, h("h1", {}, t("signIn")), h("p", { class: "lead" }, t("lead"))),
    ...providers, providers.length ? h("p", { class: "or" }, t("or")) : "", form,
    state.me?.environment === "demo" ? h("p", { class: "note hint" }, t("demo")) : ""];
}

function code() {
  const form = h("form", {},
    field("code", t("code"), { class: "code", inputmode: "text", autocomplete: "one-time-code", required: true, maxlength: 20, "aria-invalid": state.problem ? "true" : null }),
    said(), h("button", { type: "submit", class: "btn main wide" }, t("go")));
  form.addEventListener("submit", (event) => send(event, form, () => post("/api/session/code", { code: form.code.value })));
  const back = h("button", { type: "button", class: "btn wide" }, t("back"));
  back.addEventListener("click", () => {
    Object.assign(state, { step: "password", problem: "" });
    draw();
  });
  return [h("div", {}, h("h1", {}, t("code")), h("p", { class: "lead" }, t("codeLead"))), form, back];
}

async function send(event, form, question) {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await question();
    if (answer.next === "done") {
      location.assign(after());
      return;
    }
    Object.assign(state, { step: "code", problem: "" });
  } catch (error) {
    state.problem = reason(error);
    if (error instanceof Refused && error.code === "unauthenticated") state.step = "password";
  }
  button.disabled = false;
  draw();
}

state.me = await get("/api/session").catch(() => null);
if (state.me?.signed_in) location.replace(after());
if (state.me?.waiting_code) state.step = "code";
draw();
