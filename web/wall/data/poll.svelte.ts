/** One question asked again and again while somebody looks: the answer, its age, and what is wrong meanwhile. */
import { Away, Problem } from './api'
import { link } from './link.svelte'
import { begin, end, runs } from './running'
import { session } from './session.svelte'

export interface Trouble {
  kind: 'forbidden' | 'away' | 'problem'
  /** What the server said, or the browser. */
  detail: string
  code: string
  /** When it began, ms. */
  since: number
}

/** What a panel needs of whatever fills it: Waits shows it while there is nothing. */
export interface Source<T> {
  readonly value: T | null
  readonly trouble: Trouble | null
  /** Asks again at once. */
  now(): Promise<void>
}

export class Poll<T> implements Source<T> {
  value = $state.raw<T | null>(null)
  /** When `value` came, ms; 0 before. */
  at = $state(0)
  trouble = $state.raw<Trouble | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #asking: AbortController | null = null
  #failures = 0
  #users = 0

  /** @param question asks; @param every ms between an answer and the next question. */
  constructor(
    readonly question: (signal: AbortSignal) => Promise<T>,
    public every: number,
  ) {}

  /** Begins, and returns what ends it: for `$effect(() => poll.start())`. Several may share one. */
  start(): () => void {
    if (this.#users++ === 0) {
      document.addEventListener('visibilitychange', this.#seen)
      begin(this)
      void this.now()
    }
    return () => {
      if (--this.#users > 0) return
      document.removeEventListener('visibilitychange', this.#seen)
      end(this)
      this.#asking?.abort()
      clearTimeout(this.#timer)
    }
  }

  readonly #seen = () => {
    if (!document.hidden) void this.now()
  }

  /** Forgets the answer: a later one is waited for as if it were the first. */
  forget(): void {
    this.value = this.trouble = null
    this.at = 0
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
    if (this.#asking !== asking || !runs(this)) return
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
