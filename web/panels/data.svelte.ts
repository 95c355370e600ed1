/** What panels ask for: newest values (shared by the whole wall) and series over a range. The one joint between panels
 *  and wall/data. */
import { Poll } from '../wall/data/poll.svelte'
import { newness } from '../wall/data/fresh'
import { province } from '../wall/data/province.svelte'
import { shown } from '../wall/data/shown.svelte'
import type { Reading, Series } from '../wall/data/types'
import { bounds, parseRange, refresh, type Range } from '../wall/shell/range'
import { range } from '../wall/shell/range.svelte'
import { series } from './ask'
import { type Source, chosen } from './streams'

/** The newest values that a panel's source names, or those of the moment that is held. Reactive. */
export function newest(source: Source): Reading[] {
  return chosen(source, shown.value ?? [], (thing) => province.thing.get(thing)?.area)
}

/** What a panel tells of its values' age: the time of the newest, null without any, and how long one of them is new. */
export function aged(readings: readonly Reading[]): { at: number | null; period?: number } {
  const told = newness(readings, province.property)
  return told ? { at: told.at, period: told.until - told.at } : { at: null }
}

/** The range that a panel shows: its own span up to the present, or the page's. */
export function ranged(own: string): Range {
  return own ? parseRange(own) : range.value
}

export interface Answer {
  from: number
  to: number
  /** By Datastream; null where there is none (any more), or no right to it. */
  series: Map<number, Series | null>
}

/** Series of Datastreams over a range, asked again as the time passes. Make it once in a panel's script. */
export class History {
  readonly poll: Poll<Answer> = new Poll((signal) => this.#ask(signal), 5000)
  #ids: readonly number[] = []
  #range: Range = { span: 0, end: null }
  #points = 400

  /** @param wanted is read in an effect: what it gives is asked for, again whenever it changes. */
  constructor(wanted: () => { ids: readonly number[]; range: Range; width: number }) {
    const asked = $derived.by(() => {
      const { ids, range, width } = wanted()
      // Widths in steps of a hundred px: a panel that is being resized does not ask at each of them.
      return JSON.stringify([ids, range, Math.min(2000, Math.max(100, Math.round(width / 100) * 100))])
    })
    $effect(() => {
      ;[this.#ids, this.#range, this.#points] = JSON.parse(asked) as [number[], Range, number]
      if (this.#ids.length === 0) return
      this.poll.every = this.#range.end === null ? Math.max(5000, refresh(this.#range)) : 3_600_000
      return this.poll.start()
    })
  }

  async #ask(signal: AbortSignal): Promise<Answer> {
    const span = bounds(this.#range, Date.now())
    return { ...span, series: await series(this.#ids, span, this.#points, signal) }
  }
}
