/** Which devices the list shows, and how each is doing. Pure. */
import { type Health, isDevice } from '../../data/fresh'
import type { Thing } from '../../data/types'
import { score } from '../../shell/find'

/** Also what only carries results. */
export const EVERY = 'all'

export interface Filter {
  query: string
  /** A kind; EVERY; '' is devices, and whatever the query finds. */
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
        (filter.kind ? filter.kind === EVERY || thing.kind === filter.kind : isDevice(thing) || filter.query !== '') &&
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
