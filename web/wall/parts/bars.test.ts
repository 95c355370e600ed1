import { expect, it } from 'vitest'
import { bars, benchmark, ceiling, stacked, waitingLongest, written } from './bars'

const at = (text: string) => Date.parse(`2026-11-23T${text}Z`)

it('bars fill the whole range, also where nothing came', () => {
  const given = { step: 900, bars: [{ at: '2026-11-23T07:15:00Z', raised: { low: 2, critical: 1 } }] }
  const found = bars(given, at('07:05:00'), at('07:50:00'))
  expect(found.map((one) => one.n)).toEqual([0, 3, 0, 0])
  expect(found[0]!.from).toBe(at('07:00:00'))
  expect(found[1]!.by).toEqual({ critical: 1, high: 0, medium: 0, low: 2 })
  const week = { step: 7 * 86_400, bars: [] }
  expect(new Date(bars(week, at('07:05:00'), at('07:50:00'))[0]!.from).toISOString()).toBe('2026-11-22T17:00:00.000Z')
})

it('a storm does not flatten the others, what is usual reaches the top', () => {
  expect(ceiling([0, 1, 3, 2], 1.5, 15)).toBe(3)
  expect(ceiling([0, 0], 1.5, 15)).toBe(1.5)
  expect(ceiling([...Array<number>(20).fill(2), 630], 1.5, 15)).toBe(24)
  expect(ceiling(Array<number>(20).fill(100), 1.5, 15)).toBe(100)
  expect(written([0, 600, 630, 5, 610], 24, 2)).toEqual([2, 4])
})

it('parts stand on each other and stay within', () => {
  const bar = { from: 0, to: 1, n: 21, by: { critical: 1, high: 0, medium: 0, low: 20 } }
  expect(stacked(bar, 10, 100)).toEqual([
    { word: 'critical', from: 0, to: 10 },
    { word: 'low', from: 10, to: 100 },
  ])
  expect(stacked({ ...bar, by: { critical: 0, high: 0, medium: 0, low: 0 } }, 10, 100)).toEqual([])
})

it('one in ten minutes is acceptable, ten are a flood', () => {
  expect(benchmark(900)).toEqual({ acceptable: 1.5, flood: 15 })
})

it('who waits longest comes first, what was seen does not wait', () => {
  const alarm = (raised: string, state: string) => ({ raised, state, kind: 'alarm' })
  const all = [
    alarm('2026-11-23T07:00:00Z', 'unacknowledged'),
    alarm('2026-11-23T05:00:00Z', 'acknowledged'),
    alarm('2026-11-23T06:00:00Z', 'returned-unacknowledged'),
  ]
  expect(waitingLongest(all, 5).map((one) => one.raised)).toEqual(['2026-11-23T06:00:00Z', '2026-11-23T07:00:00Z'])
})
