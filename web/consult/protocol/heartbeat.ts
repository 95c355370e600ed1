/** Pings, and notices when nothing at all was heard since two of them: the socket is dead then, whatever the operating
 *  system believes. */
import type { Clock } from './clock'

export class Heartbeat {
  #heard = 0
  #cancel: (() => void) | null = null

  constructor(
    private readonly clock: Clock,
    private readonly ping: () => void,
    /** Nothing was heard since `since`. */
    private readonly dead: (since: number) => void,
  ) {}

  /** Begin, with a ping every so many ms. */
  start(every: number): void {
    this.stop()
    this.heard()
    const beat = () => {
      if (this.clock.now() - this.#heard > 2 * every + 500) {
        this.#cancel = null
        return this.dead(this.#heard)
      }
      this.ping()
      this.#cancel = this.clock.after(every, beat)
    }
    this.#cancel = this.clock.after(every, beat)
  }

  /** Something came. */
  heard(): void {
    this.#heard = this.clock.now()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
