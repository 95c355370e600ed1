/** Which alarms a list shows. Pure. */
import { type Alarm, type PriorityWord, aside, order, rank, waits } from '../../wall/data/alarms'

export interface Filter {
  area: string
  priority: string
  unseen: boolean
}

/** Those that are not set aside, in the order in which they are to be dealt with. */
export function standing(
  alarms: readonly Alarm[],
  { area, priority, unseen }: Filter,
  within: (code: string | null, area: string) => boolean,
): Alarm[] {
  const gravest = rank[priority as PriorityWord] ?? 4
  return alarms
    .filter(
      (one) =>
        !aside(one) && rank[one.priority] <= gravest && (!unseen || waits(one)) && (!area || within(one.area, area)),
    ) // prettier-ignore
    .sort(order)
}
