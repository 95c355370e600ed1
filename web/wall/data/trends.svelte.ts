/** Small trends of the last day, several in one question: means of an hour, null where there was nothing. */
import { ask } from './api'
import { Poll } from './poll.svelte'
import { shown } from './shown.svelte'
import { together } from './together'
import type { Trend } from './types'

/** Datastreams of one question: /api/trends takes no more. */
const MOST = 50

/** What a trend is of: one property of one Thing, or its mean over several. */
export interface Of {
  things: readonly string[]
  property: string
}

export class Trends {
  readonly #wanted = $derived.by(() => {
    const streams = this.of().map((one) => (one ? one.things.flatMap((thing) => stream(thing, one.property)) : []))
    // Past what may be asked at once there are none.
    let n = 0
    return streams.map((ids) => ((n += ids.length) <= MOST ? ids : []))
  })
  readonly #ids = $derived(this.#wanted.flat().join('&id='))
  readonly #poll: Poll<Trend[]> = new Poll(
    (signal) => ask<Trend[]>(`/api/trends?hourly=true&id=${this.#ids}`, { signal }),
    300_000,
  )
  /** In the order of what was asked for. */
  readonly value = $derived.by((): (number | null)[][] => {
    const found = this.#poll.value ?? []
    return this.#wanted.map((ids) =>
      together(ids.flatMap((id) => [found.find((one) => one.datastream === id)?.results ?? []])),
    )
  })

  /** In the initialisation of a component: it asks while that is there. `of` is read reactively. */
  constructor(readonly of: () => readonly (Of | undefined)[]) {
    $effect(() => (this.#ids && (shown.at === null || this.#poll.value === null) ? this.#poll.start() : undefined))
  }
}

function stream(thing: string, property: string): number[] {
  const found = shown.book?.things.get(thing)?.find((one) => one.property === property)
  return found ? [found.datastream] : []
}
