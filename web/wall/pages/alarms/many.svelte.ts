/** The alarms that are ticked, and what is done to all of them. */
import { Problem, ask } from '../../data/api'
import type { Alarm } from '../../data/alarms'
import { headline } from '../../parts/headline'
import { type Failure, each, ticked } from './many'

const WIDTH = 4 // the server does them one after another anyway: the stream of changes has one lock
const SHOW = 400 // ms until it is more than a moment

class Many {
  #ids = $state.raw<ReadonlySet<number>>(new Set())
  #last: number | null = null
  #shown = $state.raw<readonly Alarm[]>([])
  #stop: AbortController | null = null
  busy = $state.raw<{ done: number; of: number } | null>(null)
  /** It takes more than a moment. */
  slow = $state(false)
  failures = $state.raw<Failure<Alarm>[]>([])

  /** Those ticked that are still shown: one that went, or that a filter hides, counts no more. */
  readonly list = $derived(this.#shown.filter((one) => this.#ids.has(one.id)))

  has(id: number): boolean {
    return this.#ids.has(id)
  }

  /** The rows as they are now; a tick whose row is gone is forgotten. */
  follow(rows: readonly Alarm[]): void {
    this.#shown = rows
    const there = new Set(rows.map((one) => one.id))
    if ([...this.#ids].some((id) => !there.has(id))) this.#ids = new Set([...this.#ids].filter((id) => there.has(id)))
  }

  tick(id: number, shift = false): void {
    this.#ids = ticked(this.#ids, this.#shown.map((one) => one.id), id, this.#last, shift) // prettier-ignore
    this.#last = id
  }

  /** All that is shown, or nothing. */
  all(on: boolean): void {
    this.#ids = new Set(on ? this.#shown.map((one) => one.id) : [])
    this.#last = null
  }

  clear(): void {
    this.all(false)
    this.failures = []
  }

  stop(): void {
    this.#stop?.abort()
  }

  /** Does something to each of these; those done. What failed stays ticked, and `failures` say why. */
  async act(alarms: readonly Alarm[], what: string, body: unknown = {}): Promise<Alarm[]> {
    if (this.busy || alarms.length === 0) return []
    const done: Alarm[] = []
    this.failures = []
    this.busy = { done: 0, of: alarms.length }
    this.#stop = new AbortController()
    const wait = setTimeout(() => (this.slow = true), SHOW)
    try {
      this.failures = await each(alarms, (one) => ask(`/api/alarms/${one.id}/${what}`, { method: 'POST', body }), {
        width: WIDTH,
        again: (error) => error instanceof Problem && error.status === 429,
        signal: this.#stop.signal,
        ondone: (one, failed) => {
          if (!failed) done.push(one)
          this.busy = { done: this.busy!.done + 1, of: alarms.length }
        },
      })
      const gone = new Set(done.map((one) => one.id))
      this.#ids = new Set([...this.#ids].filter((id) => !gone.has(id)))
    } finally {
      clearTimeout(wait)
      this.busy = null
      this.slow = false
      this.#stop = null
    }
    return done
  }

  /** "name of the alarm, its device: why". */
  told({ item, why }: Failure<Alarm>): string {
    return `${headline(item)}, ${item.label || item.thing}: ${why}`
  }
}

export const many = new Many()
