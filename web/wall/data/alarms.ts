/** Alarms as the API tells them (docs/alarms.md), and the order and words of the list. Pure. */
import type { Labels } from './types'

export type PriorityWord = 'low' | 'medium' | 'high' | 'critical'
export type State =
  'normal' | 'unacknowledged' | 'acknowledged' | 'returned-unacknowledged' | 'shelved' | 'suppressed' | 'out-of-service'

export interface Alarm {
  id: number
  kind: 'alarm' | 'storm'
  rule: string
  state: State
  priority: PriorityWord
  level: number
  active: boolean
  thing: string
  label: string
  datastreams: number[]
  area: string | null
  since: string
  changed: string
  raised: string
  returned: string | null
  acknowledged: string | null
  acknowledged_by: string
  assignee: string
  shelved_until: string | null
  escalation: number
  escalate_at: string | null
  closed: string | null
  value: number | null
  message: Labels
  storm: number | null
  members: number
}

export interface Change {
  seq: number
  at: string
  time: string
  kind: string
  before: State
  state: State
  level: number
  value: number | null
  who: string
  comment: string
}

export interface Figures {
  raised: number
  by_priority: Record<string, number>
  by_rule: Record<string, number>
  active: number
  acknowledged: number
  ack_median: number | null
  ack_longest: number | null
  unacknowledged: number
  frequent: { rule: string; thing: string; times: number }[]
  chattering: { rule: string; thing: string; times: number }[]
  busiest: number
}

export interface Rule {
  id: string
  version: number
  enabled: boolean
  deleted: boolean
  rule: Record<string, unknown>
  faults: { where: string; what: string }[]
  updated: string
  by: string
}

export interface Trial {
  times: number
  things: number
  looked_at: number
  used: string
  readings: number
  faults: { where: string; what: string }[]
  fired: { thing: string; label: string; start: string; end: string | null; level: number; value: number | null }[]
}

/** 1 is the gravest: the digit in the shape. */
export const rank: Record<PriorityWord, 1 | 2 | 3 | 4> = { critical: 1, high: 2, medium: 3, low: 4 }

const ASIDE: readonly State[] = ['shelved', 'suppressed', 'out-of-service']
export const aside = (alarm: Alarm): boolean => ASIDE.includes(alarm.state)
/** Waits for somebody to say that they saw it. */
export const waits = (alarm: Alarm): boolean =>
  alarm.state === 'unacknowledged' || alarm.state === 'returned-unacknowledged'

/** What nobody has seen first, then the gravest, then the newest. */
export function order(a: Alarm, b: Alarm): number {
  const unseen = (one: Alarm) => (one.state === 'unacknowledged' ? 0 : one.state === 'returned-unacknowledged' ? 1 : 2)
  return unseen(a) - unseen(b) || rank[a.priority] - rank[b.priority] || Date.parse(b.raised) - Date.parse(a.raised)
}

/** The key of a state's word. */
export function stateWord(state: State) {
  const words = {
    normal: 's_normal',
    unacknowledged: 's_unacknowledged',
    acknowledged: 's_acknowledged',
    'returned-unacknowledged': 's_returned',
    shelved: 's_shelved',
    suppressed: 's_suppressed',
    'out-of-service': 's_out',
  } as const
  return words[state]
}

/** A message without the name of the device that stands beside it: "Trạm A: Mực nước …" is "Mực nước …". */
export function brief(message: string, label: string): string {
  return label && message.startsWith(`${label}: `) ? message.slice(label.length + 2) : message
}
