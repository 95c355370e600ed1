/** One question to the API. Asks for a step-up where an answer needs one, and tries again. */
import { h } from "../dom.js";
import { t } from "./words.js";

const TIMEOUT = 15000;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || String(status));
    this.status = status;
    this.code = (problem?.type ?? "").split("/").pop();
    this.problem = problem;
  }
}

async function once(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    throw new Refused(0, { detail: t("away") });
  }
  if (answer.status === 204) return null;
  const found = await answer.json().catch(() => null);
  if (answer.ok) return found;
  throw new Refused(answer.status, found);
}

export async function call(method, path, body) {
  try {
    return await once(method, path, body);
  } catch (error) {
    if (error instanceof Refused && error.code === "step-up") {
      if (!(await prove())) throw error;
      return once(method, path, body);
    }
    if (error instanceof Refused && error.code === "unauthenticated" && !location.pathname.startsWith("/sign-in")) {
      location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    }
    throw error;
  }
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const remove = (path) => call("DELETE", path);

/** What went wrong, in the reader's words. */
export function reason(error) {
  if (!(error instanceof Refused)) throw error;
  const known = t(`p_${error.code}`);
  const both = (error.problem?.detail ?? "").split(" · ");
  const detail = both.length === 2 ? both[document.documentElement.lang === "en" ? 1 : 0] : both[0];
  if (error.code === "weak-password") return detail;
  if (error.code === "locked" || error.code === "rate-limited") {
    const seconds = /(\d+) s/.exec(detail)?.[1];
    return seconds ? t("p_wait", seconds) : known;
  }
  return known === `p_${error.code}` ? detail || error.message : known;
}

/** Asks for the password or the code again; true when it was right. */
export async function prove() {
  const me = await once("GET", "/api/session");
  if (me.provider && !me.second_factor) {
    location.assign(`/auth/oidc/start?prove=true&next=${encodeURIComponent(location.pathname)}`);
    return false;
  }
  const coded = me.second_factor;
  return new Promise((done) => {
    const input = h("input", coded
      ? { id: "proof", class: "code", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 20 }
      : { id: "proof", type: "password", autocomplete: "current-password", required: true });
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const form = h("form", {},
      h("h2", { id: "prove-title" }, t("prove")),
      h("p", { class: "hint" }, t("proveWhy")),
      h("div", { class: "field" }, h("label", { for: "proof" }, t(coded ? "code" : "password")), input),
      problem,
      h("div", { class: "row" }, h("button", { type: "submit", class: "btn main" }, t("go")),
        h("button", { type: "button", class: "btn", "data-no": "" }, t("cancel"))));
    const dialog = h("dialog", { "aria-labelledby": "prove-title" }, form);
    document.body.append(dialog);
    const end = (value) => {
      dialog.close();
      dialog.remove();
      done(value);
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await once("POST", "/api/session/prove", coded ? { code: input.value } : { password: input.value });
        end(true);
      } catch (error) {
        problem.textContent = reason(error);
        problem.hidden = false;
        input.setAttribute("aria-invalid", "true");
        input.select();
      }
    });
    dialog.addEventListener("cancel", () => end(false));
    form.querySelector("[data-no]").addEventListener("click", () => end(false));
    dialog.showModal();
    input.focus();
  });
}
