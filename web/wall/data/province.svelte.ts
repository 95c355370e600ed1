/** What is known of the whole province, shared by every page: Things, latest values, names of properties. */
import type { Alarm } from './alarms'
import { type Page, all, ask } from './api'
import { grouped } from './grouped'
import { Poll } from './poll.svelte'
import type { Overview, PropertySummary, Reading, Status, Thing } from './types'

const MOST = 10_000

/** A value older than this is shown as old, ms: the server's own bound for a fresh one. */
export const FRESH = 15 * 60_000

class Province {
  readonly status = new Poll<Status>((signal) => ask('/api/status', { signal }), 2000)
  readonly overview = new Poll<Overview>((signal) => ask('/api/overview', { signal }), 10_000)
  readonly things = new Poll<Thing[]>((signal) => all('/api/things?limit=1000', MOST, signal), 60_000)
  readonly latest = new Poll<Reading[]>(
    async (signal) => (await ask<Page<Reading>>(`/api/latest?limit=${MOST}`, { signal })).items,
    10_000,
  )

  /** Open alarms; without the right to see them the poll says so and the rest goes on. */
  readonly alarms = new Poll<Alarm[]>((signal) => all('/api/alarms?limit=500', 500, signal), 3000)

  /** Readings by Datastream. */
  readonly byStream = $derived(new Map((this.latest.value ?? []).map((reading) => [reading.datastream, reading])))
  readonly byThing = $derived(grouped(this.latest.value ?? []))
  readonly thing = $derived(new Map((this.things.value ?? []).map((thing) => [thing.name, thing])))
  readonly property = $derived(
    new Map<string, PropertySummary>((this.overview.value?.properties ?? []).map((one) => [one.property, one])),
  )

  /** Begins what every page needs; returns what ends it. */
  start(): () => void {
    const ends = [this.status, this.overview, this.things, this.latest, this.alarms].map((one) => one.start())
    return () => ends.forEach((end) => end())
  }
}

export const province = new Province()
