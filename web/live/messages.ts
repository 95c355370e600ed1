/** The live protocol's messages (docs/live-protocol.md). Generated from services/live/messages.py and
 *  tram/alarms/model.py by `python -m deploy.live_types`; a test fails when the two differ. Do not edit. */

export const VERSION = 1

/** Why the hub closes a socket. */
export const CLOSE = {
  MALFORMED: 4400,
  SIGNED_OUT: 4401,
  FORBIDDEN: 4403,
  NOT_READING: 4408,
  FLOODING: 4429,
  FULL: 4503,
} as const

/** Follow. An `id` that is in use is replaced. With `after` (a `seq`) it goes on from there where it can. */
export interface Subscribe {
  op: 'subscribe'
  id: string
  filter?: Filter
  rate?: number
  values?: boolean
  alarms?: boolean
  after?: string | null
}

/** What is followed: of every list that is given one must fit. No list at all: everything one may see. */
export interface Filter {
  things?: string[] | null
  areas?: string[] | null
  properties?: string[] | null
  domains?: string[] | null
  severity?: 'low' | 'medium' | 'high' | 'critical' | null
}

/** Follow it no more; one that is not there is no error. */
export interface Unsubscribe {
  op: 'unsubscribe'
  id: string
}

/** A fresh snapshot of a subscription, please. */
export interface Resync {
  op: 'resync'
  id: string
}

/** Answered at once; `at` comes back unread. */
export interface Ping {
  op: 'ping'
  at: number
}

/** The first message. A client that hears nothing for three times `beat` seconds opens a new socket. */
export interface Hello {
  op: 'hello'
  version: number
  hub: string
  beat: number
  limits: Record<string, number>
}

/** All of a subscription, in the place of whatever was there. `reason`: subscribed, asked, old (too long ago to go
 *  on from), slow (not read for long), registry, rights, rebuilt (the hub read everything anew).
 *  A value is `[stream, t, result]` or `[stream, t, result, quality]`; a result is a number, or any JSON. */
export interface Snapshot {
  op: 'snapshot'
  id: string
  seq: string
  reason: string
  things?: Thing[]
  values?: unknown[][]
  alarms?: Alarm[]
}

/** A Thing with those of its Datastreams that are followed. `location`: longitude, latitude (WGS 84). */
export interface Thing {
  id: number
  name: string
  label: string
  kind: string
  area: string | null
  location: number[] | null
  streams: Stream[]
}

/** One Datastream of a Thing; `unit` is UCUM. */
export interface Stream {
  id: number
  property: string
  unit: string
}

/** One alarm: from its raising until it is normal again. Times are aware UTC datetimes. */
export interface Alarm {
  id: number
  kind: string
  rule: string
  rule_version: number
  state: State
  priority: Priority
  level: number
  peak: number
  active: boolean
  thing: string
  thing_id: number | null
  label: string
  datastreams: number[]
  area: string | null
  since: string
  changed: string
  raised: string
  alerted: string
  returned: string | null
  acknowledged: string | null
  acknowledged_by: string
  assignee: string
  shelved_until: string | null
  escalation: number
  escalate_at: string | null
  closed: string | null
  value: number | null
  vi: string
  en: string
  storm: number | null
  members: number
  raises: number
}

export type State = 'normal' | 'unacknowledged' | 'acknowledged' | 'returned-unacknowledged' | 'shelved' | 'suppressed' | 'out-of-service'

export type Priority = 1 | 2 | 3 | 4

/** What is new between `after` and `seq`; a client that is not at `after` asks for a resync.
 *  Applied in this order: `gone` (Things by id), `things` (each in the place of the one of its id), `values` (as in a
 *  snapshot; `[stream]` alone: it has none any more), `alarms` (each change holds the whole alarm: keep it unless its
 *  state is normal), `left` (alarms by id that fit the filter no more). */
export interface Events {
  op: 'events'
  id: string
  after: string
  seq: string
  gone?: number[]
  things?: Thing[]
  values?: unknown[][]
  alarms?: AlarmChange[]
  left?: number[]
}

/** One thing that happened to one alarm, and the whole alarm as it stands since. */
export interface AlarmChange {
  seq: number
  at: string
  time: string
  kind: Kind
  before: State
  level_before: number
  who: string
  comment: string
  detail: Record<string, unknown>
  alarm: Alarm
}

export type Kind = 'raised' | 'upgraded' | 'downgraded' | 'returned' | 'acknowledged' | 'escalated' | 'assigned' | 'commented' | 'shelved' | 'unshelved' | 'suppressed' | 'out-of-service' | 'restored' | 'closed' | 'grouped'

/** The answer to a `subscribe` with an `after` that can be gone on from: events follow it, no snapshot. */
export interface Resumed {
  op: 'resumed'
  id: string
  seq: string
}

/** Every few seconds, whatever happens. `source`: `ok`, or `away` while the hub cannot reach the database: what is
 *  shown is as old as `since`. */
export interface Beat {
  op: 'beat'
  now: number
  source?: string
  since?: number | null
}

/** A message was refused; the rest goes on. `id`: the subscription it was about, which is not there (any more).
 *  Codes: too-many (the filter fits more Datastreams than `limits.streams`), subscriptions (too many of them),
 *  unknown (no such subscription). */
export interface Problem {
  op: 'error'
  code: string
  message: string
  id?: string | null
}

/** The answer to `ping`. */
export interface Pong {
  op: 'pong'
  at: number
  now: number
}

export type ClientMessage =
  | Subscribe
  | Unsubscribe
  | Resync
  | Ping

export type HubMessage =
  | Hello
  | Snapshot
  | Events
  | Resumed
  | Beat
  | Problem
  | Pong
