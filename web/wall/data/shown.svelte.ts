/** What tiles show: the present, or, while time is held, what was the case at that moment. The mirror goes on meanwhile,
 *  so that following the present again takes no time.
 *
 *    latest(ids)          the latest values of these Datastreams, as they come
 *    shown.alarms         the alarms that stand (a storm's entry for its members), as they change
 *    shown.book           every value, by Datastream and by Thing
 *    shown.at             the moment that is held, or null; shown.present: the one that ages count to */
import { now } from '$ui/now.svelte'
import type { Alarm } from './alarms'
import { type Page, all, ask } from './api'
import { type Book, bookOf } from './book'
import { type Latest, asOf, fromApi, ungrouped } from './convert'
import { Poll, type Source } from './poll.svelte'
import { standing } from './standing.svelte'
import type { Reading } from './types'
import { values } from './values.svelte'

const MOST = 10_000
/** ms: who holds time this near to the present holds what stands on the screen. */
const PRESENT = 3000
const LOOK_BACK = 7 * 86_400_000 // ms: alarms raised longer before a moment are not looked for

interface Held {
  book: Book
  alarms: Alarm[]
}

class Shown implements Source<readonly Latest[]> {
  at = $state<number | null>(null)
  readonly present = $derived(this.at ?? now.ms)
  #copy = $state.raw<Held | null>(null)
  readonly #past: Poll<Held> = new Poll((signal) => this.#ask(signal), 3_600_000)

  /** A moment is shown that was not on the screen: what is only known of the present is not known of it. */
  readonly past = $derived(this.at !== null && this.#copy === null)

  get book(): Book | null {
    return this.at === null ? values.book : (this.#held()?.book ?? null)
  }

  get alarms(): Alarm[] | null {
    return this.at === null ? standing.value : (this.#held()?.alarms ?? null)
  }

  get value(): readonly Latest[] | null {
    return this.book?.all ?? null
  }

  get trouble() {
    return this.at === null ? values.trouble : this.#past.trouble
  }

  now(): Promise<void> {
    return this.at === null ? values.now() : this.#past.now()
  }

  /** Alarms raised since time is held: what whoever looks back misses. */
  readonly missed = $derived(
    this.at === null ? 0 : (standing.value ?? []).filter((one) => Date.parse(one.raised) > this.at!).length,
  )

  /** Holds that moment (ms since 1970), or follows the present; returns what ends it: for an `$effect` of the moment. */
  hold(at: number | null): (() => void) | undefined {
    this.at = at
    this.#copy = null
    this.#past.forget()
    if (at === null) return undefined
    const book = values.book
    if (book && Math.abs(Date.now() - at) < PRESENT) {
      this.#copy = { book: book.copy(), alarms: standing.value ?? [] }
      return undefined
    }
    return this.#past.start()
  }

  #held(): Held | null {
    return this.#copy ?? this.#past.value
  }

  async #ask(signal: AbortSignal): Promise<Held> {
    const at = this.at!
    const [moment, first] = [at, at - LOOK_BACK].map((ms) => new Date(ms).toISOString())
    const [latest, raised] = await Promise.all([
      ask<Page<Reading>>(`/api/latest?limit=${MOST}&at=${moment}`, { signal }),
      all<Alarm>(`/api/alarms/history?limit=500&from=${first}&to=${moment}`, 2000, signal).catch(() => []),
    ])
    const alarms = raised.map((one) => asOf(one, at)).filter((one) => one !== null)
    return { book: bookOf(latest.items.map(fromApi)), alarms: ungrouped(alarms) }
  }
}

export const shown = new Shown()

/** The latest values of these Datastreams, in their order; undefined where there is none. Reactive: it says what the hub
 *  told last, or what was at the moment that is held. */
export function latest(ids: readonly number[]): (Latest | undefined)[] {
  const book = shown.book
  return ids.map((id) => book?.streams.get(id))
}
