/** Notices that nothing comes any more on a path on which something came all the time: after a change of network the
 *  browser itself needs many seconds for that. */
import type { Clock } from '../protocol/clock'

const EVERY = 150 // ms between looks
const STEADY = 14 // looks in a row at which more had come: two seconds of talk
const QUIET = 500 // ms of nothing that are suspicious then: sound alone comes every 20 ms
const MOST_QUIET = 6000 // what they grow to by doubling: a link or a machine that stutters shall not be made to change paths
const MOST_CHANGES = 4 // in a minute, that leave it as quick to suspect
const CALM = 400 // looks in a row, a minute, after which they are few again

export class Flow {
  /** Nothing comes just now, though it did. */
  suspected = false
  #bytes = 0
  #steady = 0
  #flowedAt = 0
  #quiet = QUIET
  #changes: number[] = []
  #cancel: (() => void) | null = null

  constructor(
    private readonly clock: Clock,
    /** Bytes that came so far on the path that carries the call; null: there is none. */
    private readonly received: () => Promise<number | null>,
    private readonly stopped: () => void,
  ) {}

  start(): void {
    if (!this.#cancel) this.#next()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  /** Another path carries the call: what was known of the old one says nothing of it. */
  changed(): void {
    if (this.suspected) {
      // And rightly so: nothing came there any more. Whoever needs that again and again is better left alone, though.
      const now = this.clock.now()
      this.#changes = [...this.#changes.filter((at) => at > now - 60_000), now]
      this.#quiet = this.#changes.length <= MOST_CHANGES ? QUIET : Math.min(MOST_QUIET, this.#quiet * 2)
    }
    this.suspected = false
    this.#steady = this.#bytes = 0
  }

  #next(): void {
    const due = this.clock.now() + EVERY
    this.#cancel = this.clock.after(EVERY, () => {
      this.#next()
      void this.#look(due)
    })
  }

  async #look(due: number): Promise<void> {
    const bytes = await this.received()
    if (bytes === null || !this.#cancel) return
    const now = this.clock.now()
    // A machine too busy to look is too busy to receive: that is not the path's doing.
    if (now - due > EVERY) this.#flowedAt += now - due
    if (bytes > this.#bytes) {
      if (this.suspected) this.#quiet = Math.min(MOST_QUIET, this.#quiet * 2)
      this.suspected = false
      this.#steady += 1
      if (this.#steady >= CALM) this.#quiet = QUIET
      this.#flowedAt = now
    } else if (this.#steady >= STEADY && now - this.#flowedAt >= this.#quiet) {
      this.#steady = 0
      this.suspected = true
      this.stopped()
    } else if (now - this.#flowedAt > 2 * EVERY && this.#steady < STEADY) this.#steady = 0
    this.#bytes = bytes
  }
}
