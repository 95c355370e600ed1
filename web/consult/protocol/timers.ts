/** A clock for tests: time passes when they say so. */
import type { Clock } from './clock'

export class Timers implements Clock {
  at = 1_000_000
  #list: { at: number; then: () => void }[] = []
  now = () => this.at
  random = () => 0.5
  after(ms: number, then: () => void) {
    const one = { at: this.at + ms, then }
    this.#list.push(one)
    return () => {
      this.#list = this.#list.filter((other) => other !== one)
    }
  }
  pass(ms: number) {
    const end = this.at + ms
    for (;;) {
      const next = this.#list.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#list = this.#list.filter((one) => one !== next)
      this.at = next.at
      next.then()
    }
    this.at = end
  }
}
