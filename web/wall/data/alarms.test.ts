import { expect, it } from 'vitest'
import { type Alarm, aside, brief, order, waits } from './alarms'

const alarm = (id: number, more: Partial<Alarm>): Alarm =>
  ({ id, state: 'acknowledged', priority: 'low', raised: '2026-11-22T08:00:00Z', ...more }) as Alarm

it('what nobody has seen comes first, then the gravest, then the newest', () => {
  const list = [
    alarm(1, { priority: 'critical' }),
    alarm(2, { state: 'unacknowledged' }),
    alarm(3, { state: 'unacknowledged', priority: 'high' }),
    alarm(4, { state: 'returned-unacknowledged', priority: 'critical' }),
    alarm(5, { raised: '2026-11-22T09:00:00Z' }),
    alarm(6, {}),
  ]
  expect(list.sort(order).map((one) => one.id)).toEqual([3, 2, 4, 1, 5, 6])
})

it('knows what is set aside and what waits', () => {
  expect(aside(alarm(1, { state: 'shelved' }))).toBe(true)
  expect(aside(alarm(1, { state: 'unacknowledged' }))).toBe(false)
  expect(waits(alarm(1, { state: 'returned-unacknowledged' }))).toBe(true)
  expect(waits(alarm(1, { state: 'acknowledged' }))).toBe(false)
})

it('a message does not say the name of its device twice', () => {
  expect(brief('Trạm A: Mực nước cao', 'Trạm A')).toBe('Mực nước cao')
  expect(brief('Mực nước cao', 'Trạm A')).toBe('Mực nước cao')
  expect(brief('Mực nước cao', '')).toBe('Mực nước cao')
})
