import { expect, it } from 'vitest'
import { beyond, compared, comparisons, counted, fences, inputs, thresholds } from './looks'
import { full } from './testing'

it('what a rule looks at, in groups too', () => {
  expect(thresholds(full)).toMatchObject([
    { property: 'water_level', thing: '', value: 25, priority: 'medium', vi: 'I' },
  ])
  expect(inputs(full)).toEqual([
    { property: 'water_level', thing: '' },
    { property: 'water_level', thing: 'r2' },
    { property: 'a', thing: '' },
    { property: 'b', thing: '' },
  ])
  expect(comparisons(full)).toEqual([
    { left: { property: 'a', thing: '' }, right: { property: 'b', thing: '' }, by: 'ratio', limits: [{ value: 2, priority: 'critical' }] },
  ]) // prettier-ignore
  expect(fences(full).map(({ thing, area, polygon }) => [thing, area, typeof polygon])).toEqual([
    ['', '19', 'undefined'],
    ['bus', '', 'object'],
  ])
})

it('a comparison holds the last of each side, and divides by no zero', () => {
  const left = { times: [1, 3, 5], values: [10, 12, null] }
  const right = { times: [2, 4], values: [2, 0] }
  expect(compared(left, right, 'difference')).toEqual({ times: [1, 2, 3, 4, 5], values: [null, 8, 10, 12, null] })
  expect(compared(left, right, 'ratio').values).toEqual([null, 5, 6, null, null])
})

it('who fired how often', () => {
  const fired = ['a', 'b', 'b'].map((thing) => ({ thing, label: thing === 'a' ? 'Trạm A' : '' }))
  expect(counted(fired)).toEqual([
    { thing: 'b', label: 'b', n: 2 },
    { thing: 'a', label: 'Trạm A', n: 1 },
  ])
})

it('how far beyond its level a value is, upwards or downwards', () => {
  expect(beyond(26, { op: '>=', value: 25 })).toBe(1)
  expect(beyond(24, { op: '>', value: 25 })).toBe(-1)
  expect(beyond(24, { op: '<', value: 25 })).toBe(1)
})
