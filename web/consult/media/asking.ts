/** Asking for a microphone or a camera until there is one: a browser on a busy machine fails to open a device that works
 *  a moment later (`AbortError: Timeout starting …`), ends the track of one that was slow, or never answers. */
import type { Clock } from '../protocol/clock'
import type { Got } from './devices'

/** ms until it is asked for again by itself. */
export const AGAIN = [1000, 2000, 4000, 8000, 15_000] as const
/** ms without an answer: whoever waits need wait no longer; and it is asked anew where nobody has to allow it first. */
export const UNANSWERED = 10_000

const nobody = () => {}

export class Asking {
  /** Answers to an earlier turn are not wanted any more. */
  #turn = 0
  #tries = 0
  #forget: () => void = nobody
  #ask: (() => Promise<Got>) | null = null

  constructor(
    private readonly clock: Clock,
    private readonly took: (got: Got) => void,
    /** Whether the browser gives it without asking the person. */
    private readonly allowed: () => Promise<boolean>,
  ) {}

  /** Ask now, instead of whatever was asked before. Resolves with the first answer, or when it is wanted no more. */
  begin(ask: () => Promise<Got>): Promise<void> {
    this.end()
    this.#ask = ask
    return new Promise((done) => this.#now(this.#turn, done))
  }

  /** It is not wanted any more, also if it comes yet. */
  end(): void {
    this.#ask = null
    this.#tries = 0
    this.#turn += 1
    this.#forget()
    this.#settle()
  }

  /** It was there, and is lost. */
  lost(): void {
    this.#tries = 0
    this.#later()
  }

  /** Something was plugged in. */
  plugged(): void {
    this.#tries = 0
    if (this.#ask) this.#now(++this.#turn)
  }

  #settle: () => void = nobody

  #now(turn: number, done: () => void = nobody): void {
    const ask = this.#ask
    if (!ask) return
    this.#forget()
    this.#settle = done
    void ask().then((got) => {
      if (turn !== this.#turn) return got.track?.stop()
      this.#turn += 1
      this.#forget()
      this.took(got)
      this.#settle()
      if (got.trouble === 'busy' || got.trouble === 'failed') this.#later()
    })
    if (this.#tries >= AGAIN.length) return
    this.#forget = this.clock.after(UNANSWERED, () => {
      this.#tries += 1
      void this.allowed().then((yes) => yes && turn === this.#turn && this.#now(turn, done))
    })
  }

  #later(): void {
    const ms = AGAIN[this.#tries]
    if (ms === undefined || !this.#ask) return
    this.#tries += 1
    this.#forget()
    this.#forget = this.clock.after(ms, () => this.#now(++this.#turn))
  }
}
