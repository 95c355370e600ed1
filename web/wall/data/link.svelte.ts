/** Whether the server is there, by both ways to it: what is asked, and the live hub's socket. One banner for the page.
 *
 *    answering --no answer, or the socket is gone--> lost --both are there again--> back, filling the gap --> filled */
import { askAll } from './running'

export interface Outage {
  /** ms; until: when it ended, since 1970. */
  length: number
  until: number
  /** Whether everything that is shown has been read anew since. */
  filled: boolean
}

/** ms without the socket after which answers alone mean that the server is there: polling stands in for it. */
const STAND_IN = 5000

class Link {
  /** Since when nothing answers, and since when the socket is gone (null while polling stands in for it), ms. */
  #http = $state<number | null>(null)
  #live = $state<number | null>(null)
  #stoodIn = false
  readonly lost = $derived(
    this.#http === null ? this.#live : this.#live === null ? this.#http : Math.min(this.#http, this.#live),
  )
  /** The last outage that ended. */
  outage = $state.raw<Outage | null>(null)
  /** The hub is there and its database is not, since then; null: all is well. */
  source = $state<number | null>(null)

  answered(): void {
    this.#change(() => {
      this.#http = null
      if (this.#live === null || Date.now() - this.#live < STAND_IN) return
      this.#live = null
      this.#stoodIn = true
    })
  }

  silent(): void {
    this.#http ??= Date.now()
  }

  /** The hub's socket: there, or gone since then. */
  socket(gone: number | null): void {
    if (gone === null) this.#stoodIn = false
    this.#change(() => (this.#live = this.#stoodIn ? null : gone))
  }

  #change(take: () => void): void {
    const since = this.lost
    take()
    if (since === null || this.lost !== null) return
    const until = Date.now()
    const outage = { length: until - since, until, filled: false }
    this.outage = outage
    // Behind who is calling: an answer that has just come is taken in first.
    setTimeout(() => {
      void askAll().then((filled) => {
        if (filled && this.outage === outage) this.outage = { ...outage, filled }
      })
    })
  }
}

export const link = new Link()
