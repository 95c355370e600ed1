/** What the live hub tells, in the form in which the API answers: who draws need not know which of the two it was. Pure. */
import type * as hub from '../../live/messages'
import type { Value } from '../../live/mirror'
import type { Alarm, PriorityWord, State } from './alarms'
import type { Reading } from './types'

/** The latest value of a Datastream. */
export interface Latest extends Reading {
  /** Its phenomenonTime, ms since 1970. */
  readonly at: number
}

const words: readonly PriorityWord[] = ['low', 'medium', 'high', 'critical']
const bits: readonly (readonly [number, string])[] = [
  [1, 'clock'],
  [2, 'range'],
  [4, 'stuck'],
  [8, 'unit'],
  [16, 'undefined'],
  [256, 'late'],
  [512, 'estimated'],
  [1024, 'corrected'],
]

/** The names of a quality's bits (docs/store.md). */
export const flags = (quality: number): string[] => bits.filter(([bit]) => quality & bit).map(([, name]) => name)

/** A value of the hub. Thousands are made every second, so what few read is computed when it is read. */
class HubValue implements Latest {
  readonly value: unknown
  readonly result: number | null

  constructor(
    readonly datastream: number,
    readonly thing: string,
    readonly label: string,
    readonly property: string,
    readonly unit: string,
    readonly at: number,
    result: unknown,
    readonly quality: number,
  ) {
    this.result = typeof result === 'number' ? result : null
    this.value = typeof result === 'number' ? null : result
  }

  get time(): string {
    return new Date(this.at).toISOString()
  }

  get flags(): string[] {
    return flags(this.quality)
  }
}

export function fromHub(thing: hub.Thing, stream: hub.Stream, { time, result, quality }: Value): Latest {
  return new HubValue(stream.id, thing.name, thing.label, stream.property, stream.unit, time / 1000, result, quality)
}

export const fromApi = (reading: Reading): Latest => ({ ...reading, at: Date.parse(reading.time) })

export function alarmFromHub(alarm: hub.Alarm): Alarm {
  const { priority, vi, en, kind, ...same } = alarm
  return {
    ...same,
    kind: kind === 'storm' ? 'storm' : 'alarm',
    priority: words[priority - 1] ?? 'low',
    message: { vi, en },
  }
}

/** Without the members of storms whose entry stands there too: it stands for them. */
export function ungrouped(alarms: readonly Alarm[]): Alarm[] {
  const storms = new Set(alarms.filter((one) => one.kind === 'storm').map((one) => one.id))
  return alarms.filter((one) => one.storm === null || !storms.has(one.storm))
}

/** An alarm as it stood at a moment (ms since 1970), from what is known of it now; null: it did not stand then. Whether
 *  it was on the shelf then is not told by it. */
export function asOf(alarm: Alarm, at: number): Alarm | null {
  const before = (time: string | null) => time !== null && Date.parse(time) <= at
  if (!before(alarm.raised) || before(alarm.closed)) return null
  const [seen, over] = [before(alarm.acknowledged), before(alarm.returned)]
  if (seen && over) return null
  const state: State = over ? 'returned-unacknowledged' : seen ? 'acknowledged' : 'unacknowledged'
  return { ...alarm, state, active: !over, returned: over ? alarm.returned : null, closed: null }
}
