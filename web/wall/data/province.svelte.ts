/** What is known of the whole province, shared by every page: Things, latest values, alarms, names of properties. Values
 *  and alarms here are the present, whatever time the tiles show: those are in shown.svelte.ts. */
import { all, ask } from './api'
import type { Latest } from './convert'
import { type Health, type Heard, freshFor, health, heard } from './fresh'
import { hub } from './hub.svelte'
import { Poll } from './poll.svelte'
import { standing } from './standing.svelte'
import type { Overview, PropertySummary, Status, Thing } from './types'
import { values } from './values.svelte'

const MOST = 10_000

const NOTHING: ReadonlyMap<never, never> = new Map<never, never>()

class Province {
  readonly status = new Poll<Status>((signal) => ask('/api/status', { signal }), 2000)
  readonly overview = new Poll<Overview>((signal) => ask('/api/overview', { signal }), 10_000)
  readonly things = new Poll<Thing[]>((signal) => all('/api/things?limit=1000', MOST, signal), 60_000)
  readonly latest = values
  /** Open alarms; without the right to see them it says so and the rest goes on. */
  readonly alarms = standing

  readonly thing = $derived(new Map((this.things.value ?? []).map((thing) => [thing.name, thing])))
  readonly property = $derived(
    new Map<string, PropertySummary>((this.overview.value?.properties ?? []).map((one) => [one.property, one])),
  )

  /** Latest values by Datastream, and by Thing. */
  get byStream(): ReadonlyMap<number, Latest> {
    return values.book?.streams ?? NOTHING
  }

  get byThing(): ReadonlyMap<string, readonly Latest[]> {
    return values.book?.things ?? NOTHING
  }

  /** For how long a value of the property is new, ms from its time. Reactive, as what follows. */
  freshFor(property: string): number {
    return freshFor(this.property, property)
  }

  /** Whether a value is old at that moment, ms since 1970. */
  old(value: { readonly property: string; readonly at: number }, now: number): boolean {
    return now - value.at > this.freshFor(value.property)
  }

  /** When the Thing of these values was heard, and how it does. */
  heard(readings: readonly Latest[] | undefined): Heard | null {
    return heard(readings, this.property)
  }

  health(readings: readonly Latest[] | undefined, now: number): Health {
    return health(readings, now, this.property)
  }

  /** What people call a Thing; its name where nobody said. */
  label(thing: string): string {
    return this.thing.get(thing)?.label || thing
  }

  /** Begins what every page needs; returns what ends it. */
  start(): () => void {
    let again: ReturnType<typeof setTimeout> | undefined
    values.start(() => (again ??= setTimeout(() => ((again = undefined), void this.things.now()), 1000)))
    standing.start()
    const ends = [hub, this.status, this.overview, this.things].map((one) => one.start())
    return () => {
      clearTimeout(again)
      ends.forEach((end) => end())
    }
  }
}

export const province = new Province()
