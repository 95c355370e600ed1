/** Looks whether the way to the server is there again, three times a second, while sockets wait.
 *
 *  A socket that was opened into a dead link finds the living one only when its SYN is sent again, seconds later, and a
 *  browser opens one socket to a server at a time and holds back a page whose sockets fail too often. A small request
 *  is none of this: several are on their way at once, and the first that is answered says that the link is back. */
import type { Clock } from './clock'

export const EVERY = 300 // ms between requests
const LONGEST = 5000 // ms between them when the way is there and the socket still does not come
const MOST_AT_ONCE = 6

export class Prober {
  #life = 0
  #open = 0
  #pause = EVERY
  #cancel: (() => void) | null = null

  constructor(
    private readonly clock: Clock,
    /** One request: true when this server answered it. Must end by itself. */
    private readonly probe: (() => Promise<boolean>) | undefined,
    /** The way is there; `trip` ms is how long the answer took. True: that was what was wanted, no more requests. */
    private readonly found: (trip: number) => boolean,
  ) {}

  /** Begin, the first request after `delay` ms. Nothing when it is under way. */
  start(delay = 0): void {
    if (!this.probe || this.#cancel) return
    this.#life += 1
    this.#next(Math.max(delay, this.#pause))
  }

  stop(): void {
    this.#life += 1
    this.#cancel?.()
    this.#cancel = null
  }

  /** The server was reached in full: the next loss begins anew. */
  reset(): void {
    this.stop()
    this.#pause = EVERY
  }

  #next(ms: number): void {
    this.#cancel = this.clock.after(ms, () => {
      this.#next(this.#pause)
      void this.#ask(this.#life)
    })
  }

  async #ask(life: number): Promise<void> {
    if (!this.probe || this.#open >= MOST_AT_ONCE) return
    const asked = this.clock.now()
    this.#open += 1
    let there = false
    try {
      there = await this.probe()
    } catch {
      // No answer is an answer.
    } finally {
      this.#open -= 1
    }
    if (!there || life !== this.#life || !this.found(this.clock.now() - asked)) return
    this.stop()
    this.#pause = Math.min(LONGEST, this.#pause * 2)
  }
}
