/** One question asked again and again while somebody looks: the answer, its age, and what is wrong meanwhile. */
import { Away, Problem } from './api'
import { link } from './link.svelte'
import { session } from './session.svelte'

export interface Trouble {
  kind: 'forbidden' | 'away' | 'problem'
  /** What the server said, or the browser. */
  detail: string
  code: string
  /** When it began, ms. */
  since: number
}

export class Poll<T> {
  value = $state.raw<T | null>(null)
  /** When `value` came, ms; 0 before. */
  at = $state(0)
  trouble = $state.raw<Trouble | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking: AbortController | null = null
  #failures = 0

  /** @param question asks; @param every ms between an answer and the next question. */
  constructor(
    readonly question: (signal: AbortSignal) => Promise<T>,
    public every: number,
  ) {}

  /** Begins, and returns what ends it: for `$effect(() => poll.start())`. */
  start(): () => void {
    const shown = () => {
      if (!document.hidden) void this.now()
    }
    document.addEventListener('visibilitychange', shown)
    void this.now()
    return () => {
      document.removeEventListener('visibilitychange', shown)
      this.#asking?.abort()
      clearTimeout(this.#timer)
    }
  }

  /** Asks at once; an earlier question that is under way is dropped. */
  async now(): Promise<void> {
    this.#asking?.abort()
    clearTimeout(this.#timer)
    const asking = (this.#asking = new AbortController())
    try {
      const value = await this.question(asking.signal)
      if (asking.signal.aborted) return
      this.value = value
      this.at = Date.now()
      this.trouble = null
      this.#failures = 0
      link.answered()
    } catch (error) {
      if (asking.signal.aborted || session.ended(error)) return
      this.#failures++
      this.trouble = trouble(error, this.trouble)
      if (this.trouble.kind === 'away') link.silent()
    }
    // A page nobody sees asks nothing; a server in trouble is asked ever less often.
    const wait = Math.min(60_000, this.every * 2 ** Math.min(this.#failures, 5))
    this.#timer = setTimeout(() => void (document.hidden || this.now()), wait)
  }
}

export function trouble(error: unknown, before: Trouble | null): Trouble {
  const since = before?.since ?? Date.now()
  if (error instanceof Problem)
    return { kind: error.status === 403 ? 'forbidden' : 'problem', detail: error.message, code: error.code, since }
  return { kind: 'away', detail: error instanceof Away ? '' : String(error), code: 'away', since }
}
