/** Work for news that come faster than they need to be shown: at once when there was a pause, else after `least` ms; and
 *  work that takes long is done ever more seldom, so that it never has more than `share` of the time. Pure. */
export class Pace {
  #free = 0 // when it may be done again
  #waiting: (() => void) | null = null

  /** @param work is measured until its promise is kept. */
  constructor(
    readonly work: () => Promise<void>,
    readonly least = 250,
    readonly share = 0.05,
    readonly now: () => number = () => performance.now(),
    readonly after: (ms: number, then: () => void) => () => void = (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
  ) {}

  ask(): void {
    if (this.#waiting) return
    const wait = this.#free - this.now()
    if (wait <= 0) void this.#do()
    else this.#waiting = this.after(wait, () => void this.#do())
  }

  stop(): void {
    this.#waiting?.()
    this.#waiting = null
  }

  async #do(): Promise<void> {
    this.#waiting = null
    const begun = this.now()
    this.#free = begun + this.least
    await this.work()
    const end = this.now()
    this.#free = Math.max(this.#free, end + (end - begun) / this.share)
  }
}
