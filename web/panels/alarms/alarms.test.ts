import { expect, it } from 'vitest'
import type { Alarm, PriorityWord, State } from '../../wall/data/alarms'
import { standing } from './standing'

const alarm = (id: number, priority: PriorityWord, state: State, area = 'a') =>
  ({ id, priority, state, area, raised: `2026-01-01T00:00:0${id}Z` }) as Alarm
const all = [
  alarm(1, 'low', 'acknowledged'),
  alarm(2, 'high', 'unacknowledged', 'b'),
  alarm(3, 'critical', 'shelved'),
  alarm(4, 'critical', 'acknowledged'),
  alarm(5, 'medium', 'returned-unacknowledged'),
]
const ids = (filter: Partial<Parameters<typeof standing>[1]>) =>
  standing(all, { area: '', priority: 'low', unseen: false, ...filter }, (code, area) => code === area).map((one) => one.id) // prettier-ignore

it('shows what stands, unseen first, then the gravest', () => {
  expect(ids({})).toEqual([2, 5, 4, 1])
  expect(ids({ priority: 'high' })).toEqual([2, 4])
  expect(ids({ unseen: true })).toEqual([2, 5])
  expect(ids({ area: 'b' })).toEqual([2])
})
