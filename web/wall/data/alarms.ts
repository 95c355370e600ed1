/** Alarms as the API tells them (docs/alarms.md), and the order and words of the list. Pure. */
import type { components } from './schema'

type Schemas = components['schemas']

/** The words of a priority come with the page: words/alarms.ts. */
export type Alarm = Omit<Schemas['AlarmOut'], 'priority_label' | 'assignee_name'> & { assignee_name?: string }
export type PriorityWord = Alarm['priority']
export type State = Alarm['state']
export type Change = Schemas['ChangeOut']
export type Figures = Schemas['FiguresOut']
export type Rule = Schemas['RuleOut']
export type Trial = Schemas['TrialOut']
/** A rule at a Thing that is told no more. */
export type Out = Schemas['OutOut']

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
