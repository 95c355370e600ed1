/** Which devices the list shows, and how each is doing. Pure. */
import type { Latest } from '../../data/convert'
import type { Thing } from '../../data/types'
import { score } from '../../shell/find'

export type Health = 'live' | 'late' | 'never'

/** By its newest value: one of the last `fresh` ms is live. */
export function health(readings: readonly Latest[] | undefined, now: number, fresh: number): Health {
  if (!readings?.length) return 'never'
  return now - newest(readings) <= fresh ? 'live' : 'late'
}

/** The time of the newest value, ms; -Infinity without any. */
export function newest(readings: readonly Latest[]): number {
  return readings.reduce((last, one) => Math.max(last, one.at), -Infinity)
}

export interface Filter {
  query: string
  kind: string
  state: string
}

export interface Row {
  thing: Thing
  health: Health
}

/** What is silent first, then by name. */
export function rows(things: readonly Thing[], healthOf: (thing: Thing) => Health, filter: Filter): Row[] {
  const order: Record<Health, number> = { late: 0, live: 1, never: 2 }
  return things
    .map((thing) => ({ thing, health: healthOf(thing) }))
    .filter(
      ({ thing, health }) =>
        (!filter.kind || thing.kind === filter.kind) &&
        (!filter.state || health === filter.state) &&
        thing.status !== 'pending' &&
        score(filter.query, `${thing.label} ${thing.name} ${thing.area ?? ''}`) > 0,
    )
    .sort(
      (a, b) =>
        order[a.health] - order[b.health] ||
        (a.thing.label || a.thing.name).localeCompare(b.thing.label || b.thing.name, 'vi'),
    )
}
