/** Asking again and again: each answer starts the wait for the next question, failures back off, a hidden page rests. */

const TIMEOUT = 4000;
const SLOWEST = 15000;

/** An answer that was no answer: `kind` is "away" (nothing came back), "offline" or "problem" (with its body). */
export class Failure extends Error {
  constructor(kind, problem = null) {
    super(kind);
    this.kind = kind;
    this.problem = problem;
  }
}

/** One question. Throws a Failure. */
export async function ask(path, signal = undefined) {
  let response;
  const signals = [AbortSignal.timeout(TIMEOUT), ...(signal ? [signal] : [])];
  try {
    response = await fetch(path, { signal: AbortSignal.any(signals), headers: { Accept: "application/json" } });
    if (response.ok) return await response.json();
  } catch {
    throw new Failure(navigator.onLine === false && location.hostname !== "localhost" && !location.hostname.startsWith("127.") ? "offline" : "away");
  }
  let problem = null;
  try {
    problem = await response.json();
  } catch {
    // A proxy's own page: the status says enough.
  }
  throw new Failure(response.status >= 502 && problem === null ? "away" : "problem", problem);
}

/**
 * Asks `path()` about every `period` ms. `onAnswer(body)`, `onFailure(failure)`. Returns { now(), stop() }.
 * After a failure the wait doubles up to 15 s, with some chance in it, so that a thousand pages do not return at once.
 */
export function poll(path, period, onAnswer, onFailure) {
  let timer = 0;
  let failures = 0;
  let abort = null;
  let stopped = false;

  async function turn() {
    clearTimeout(timer);
    abort?.abort();
    const mine = new AbortController();
    abort = mine;
    try {
      const body = await ask(path(), mine.signal);
      if (mine.signal.aborted) return;
      failures = 0;
      onAnswer(body);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      failures += 1;
      onFailure(error);
    } finally {
      if (!mine.signal.aborted && !stopped) {
        const wait = failures ? Math.min(SLOWEST, period * 2 ** (failures - 1)) * (0.75 + Math.random() / 2) : period;
        timer = setTimeout(turn, document.hidden ? Math.max(wait, 10000) : wait);
      }
    }
  }

  const wake = () => {
    if (!document.hidden && !stopped) turn();
  };
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  turn();
  return {
    now: () => {
      failures = 0;
      turn();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      abort?.abort();
      document.removeEventListener("visibilitychange", wake);
      window.removeEventListener("online", wake);
    },
  };
}
