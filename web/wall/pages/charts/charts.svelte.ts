/** What the charts page draws: the chosen Datastreams, their answers over the range, and those of a week before. */
import { ask } from '../../data/api'
import { type Note, notesOf } from '../../data/notes'
import { Poll } from '../../data/poll.svelte'
import type { Series } from '../../data/types'
import { bounds, refresh } from '../../shell/range'
import { range } from '../../shell/range.svelte'
import { router } from '../../shell/router.svelte'
import { ids } from './tree'

export const MOST = 8
const WEEK = 7 * 86_400_000

export interface Answer {
  from: number
  to: number
  /** By Datastream; null where there is no such one, or no right to it. */
  now: Map<number, Series | null>
  before: Map<number, Series | null>
}

class Charts {
  readonly chosen = $derived(ids(router.option('s'), MOST))
  readonly band = $derived(router.option('band') === '1')
  readonly week = $derived(router.option('week') === '1')
  /** Points that fit the screen; a resize does not ask again until it is done. */
  points = $state(800)
  readonly answer: Poll<Answer> = new Poll((signal) => this.#ask(signal), 5000)

  /** Notes on what is drawn, over its range. */
  readonly notes: Poll<Note[]> = new Poll((signal) => {
    const { from, to } = bounds(range.value, Date.now())
    return notesOf(this.chosen, from, to, signal)
  }, 30_000)

  toggle(id: number): void {
    const next = this.chosen.includes(id) ? this.chosen.filter((one) => one !== id) : [...this.chosen, id]
    router.set({ s: next.slice(0, MOST).join(',') }, true)
  }

  /** Asks again whenever what is asked for changes; for the time of the component that calls it. */
  follow(): void {
    $effect(() => {
      void [this.chosen.join(), this.week, this.points, range.value.span, range.value.end]
      this.answer.every = range.value.end === null ? refresh(range.value) : 3_600_000
      return this.#soon(this.answer)
    })
    $effect(() => {
      void [this.chosen.join(), range.value.span, range.value.end]
      return this.#soon(this.notes)
    })
  }

  /** A wheel turns many times a second: what comes to rest is asked for. */
  #soon(poll: Poll<unknown>): () => void {
    let end: (() => void) | undefined
    const later = setTimeout(() => (end = poll.start()), poll.at ? 150 : 0)
    return () => {
      clearTimeout(later)
      end?.()
    }
  }

  async #ask(signal: AbortSignal): Promise<Answer> {
    const { from, to } = bounds(range.value, Date.now())
    const [now, before] = await Promise.all([
      this.#all(from, to, signal),
      this.week ? this.#all(from - WEEK, to - WEEK, signal) : new Map<number, Series | null>(),
    ])
    return { from, to, now, before }
  }

  async #all(from: number, to: number, signal: AbortSignal): Promise<Map<number, Series | null>> {
    const found = await Promise.all(
      this.chosen.map(async (id) => {
        const span = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`
        try {
          return [
            id,
            await ask<Series>(`/api/datastreams/${id}/series?${span}&width=${this.points}`, { signal }),
          ] as const
        } catch (error) {
          // One that was deleted, or that one may not see, leaves the others alone.
          if (
            typeof error === 'object' &&
            error !== null &&
            'status' in error &&
            [403, 404].includes(error.status as number)
          )
            return [id, null] as const
          throw error
        }
      }),
    )
    return new Map(found)
  }
}

export const charts = new Charts()
