/** Devices and areas as the map wants them. Pure. */
import { type Alarm, aside, rank, waits } from '../../wall/data/alarms'
import type { Reading, Thing } from '../../wall/data/types'
import { bounds, byArea, place } from '../../wall/pages/overview/colour'
import type { Marker, State } from '../../wall/pages/overview/markers'

export interface Marked {
  markers: Marker[]
  /** Of each area, its place on the ramp. */
  fills: Map<string, number>
  low: number
  high: number
}

/** @param readings those of the property that is shown; with `property` '' the state is. */
export function marked(
  things: readonly Thing[],
  property: string,
  readings: readonly Reading[],
  alarms: readonly Alarm[],
  stateOf: (thing: string) => State,
): Marked {
  const known = readings.filter((one) => one.result !== null)
  const { low, high } = bounds(known.map((one) => one.result!))
  const values = new Map(known.map((one) => [one.thing, one.result!]))
  const gravest = new Map<string, Alarm>()
  for (const one of alarms) {
    const before = gravest.get(one.thing)
    if (one.thing && !aside(one) && (!before || rank[one.priority] < rank[before.priority])) gravest.set(one.thing, one)
  }
  const areaOf = new Map(things.map((one) => [one.name, one.area]))
  const areas = byArea(known.map((one) => ({ area: areaOf.get(one.thing) ?? null, value: one.result! })))
  return {
    low,
    high,
    fills: new Map([...areas].map(([code, value]) => [code, place(value, low, high)!])),
    markers: things.flatMap((one): Marker[] => {
      if (!one.location || (property && !values.has(one.name))) return []
      const [longitude, latitude] = one.location.coordinates
      const alarm = gravest.get(one.name)
      return [{
        thing: one.name,
        label: one.label || one.name,
        longitude,
        latitude,
        state: stateOf(one.name),
        share: property ? place(values.get(one.name) ?? null, low, high) : null,
        alarm: alarm && { rank: rank[alarm.priority], seen: !waits(alarm) },
      }]
    }),
  } // prettier-ignore
}
