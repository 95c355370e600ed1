import { expect, it } from 'vitest'
import { reading } from '../testing'
import { sorted } from './sorted'

const all = [
  reading(1, 'a', 'level', { label: 'Đ', result: 2, time: '2026-01-01T00:00:02Z' }),
  reading(2, 'b', 'rain', { label: 'A', result: null, time: '2026-01-01T00:00:03Z' }),
  reading(3, 'c', 'level', { label: 'Ê', result: 1, time: '2026-01-01T00:00:01Z' }),
]
const ids = (...how: Parameters<typeof sorted> extends [unknown, ...infer R] ? R : never) =>
  sorted(all, ...how).map((one) => one.datastream)

it('sorts by any column, both ways; what has no number comes last', () => {
  expect(ids('value', false)).toEqual([3, 1, 2])
  expect(ids('value', true)).toEqual([1, 3, 2])
  expect(ids('station', false)).toEqual([2, 1, 3])
  expect(ids('age', false)).toEqual([2, 1, 3])
  expect(ids('property', true)).toEqual([2, 1, 3])
})
