/** What a client holds of one subscription: snapshot + events, folded. docs/live-protocol.md says how. */
import type { Alarm, AlarmChange, Events, Resumed, Snapshot, Thing } from './messages'

/** The last value of a Datastream. `time`: µs since 1970. `result`: a number, or any JSON. `quality` 0 is good. */
export interface Value {
  time: number
  result: unknown
  quality: number
}

/** What one message changed, for who draws only that. `all`: everything may be another. */
export interface Changes {
  all: boolean
  streams: number[]
  things: number[]
  alarms: AlarmChange[]
}

const value = (row: unknown[]): Value => ({ time: row[1] as number, result: row[2], quality: (row[3] ?? 0) as number })

export class Mirror {
  /** Where it is; null: nothing has come yet. */
  seq: string | null = null
  /** Why the last snapshot came. */
  reason = ''
  readonly things = new Map<number, Thing>()
  readonly values = new Map<number, Value>()
  readonly alarms = new Map<number, Alarm>()

  /** Take a message in; null: something between is missing (nothing was taken), so ask for a resync. */
  apply(message: Snapshot | Events | Resumed): Changes | null {
    const changes: Changes = { all: false, streams: [], things: [], alarms: [] }
    if (message.op === 'resumed') return message.seq === this.seq ? changes : null
    if (message.op === 'snapshot') {
      this.things.clear()
      this.values.clear()
      this.alarms.clear()
      for (const thing of message.things ?? []) this.things.set(thing.id, thing)
      for (const row of message.values ?? []) this.values.set(row[0] as number, value(row))
      for (const alarm of message.alarms ?? []) this.alarms.set(alarm.id, alarm)
      this.reason = message.reason
      changes.all = true
    } else {
      if (message.after !== this.seq) return null
      this.#events(message, changes)
    }
    this.seq = message.seq
    return changes
  }

  #events(message: Events, changes: Changes): void {
    for (const id of message.gone ?? []) {
      this.#drop(id, new Set())
      changes.things.push(id)
    }
    for (const thing of message.things ?? []) {
      this.#drop(thing.id, new Set(thing.streams.map((stream) => stream.id)))
      this.things.set(thing.id, thing)
      changes.things.push(thing.id)
    }
    for (const row of message.values ?? []) {
      const stream = row[0] as number
      if (row.length === 1) this.values.delete(stream)
      else this.values.set(stream, value(row))
      changes.streams.push(stream)
    }
    for (const change of message.alarms ?? []) {
      if (change.alarm.state === 'normal') this.alarms.delete(change.alarm.id)
      else this.alarms.set(change.alarm.id, change.alarm)
      changes.alarms.push(change)
    }
    for (const id of message.left ?? []) this.alarms.delete(id)
  }

  /** Take a Thing away, with the values of its Datastreams but those that stay. */
  #drop(id: number, stay: Set<number>): void {
    for (const stream of this.things.get(id)?.streams ?? []) {
      if (!stay.has(stream.id)) this.values.delete(stream.id)
    }
    this.things.delete(id)
  }
}
