import { describe, expect, it } from 'vitest'
import type { Bucket, Series } from '../data/types'
import { align, line, summary, usual } from './align'

const at = (s: number) => new Date(s * 1000).toISOString()
const raw = (...rows: [number, number | null, number?][]): Series => ({
  datastream: { id: 1, thing: 't', property: 'p', labels: {}, unit: '1' },
  items: rows.map(([s, result, quality = 0]) => ({ time: at(s), result, quality })),
  used: 'raw',
  bucket_seconds: null,
  thinned: false,
  buckets: null,
})
const buckets = (...rows: [number, Partial<Bucket>][]): Series => ({
  ...raw(),
  used: '1m',
  bucket_seconds: 60,
  buckets: rows.map(([s, more]) => ({
    time: at(s),
    n: 1,
    good: 1,
    mean: 0,
    min: 0,
    max: 0,
    first: 0,
    last: 0,
    ...more,
  })),
})

describe('a line', () => {
  it('has a gap where values are missing for long', () => {
    const found = line(raw([0, 1], [10, 2], [20, 3], [100, 4], [110, 5]))
    expect(found.values).toEqual([1, 2, 3, null, 4, 5])
    expect(found.times).toEqual([0, 10, 20, 35, 100, 110])
  })

  it('of buckets has its means in the middle, and a gap for each that is missing', () => {
    const found = line(buckets([0, { mean: 1, min: 0, max: 4 }], [60, { mean: 2 }], [180, { mean: 3 }]))
    expect(found.times).toEqual([30, 90, 135, 210])
    expect(found.values).toEqual([1, 2, null, 3])
    expect(found.high![0]).toBe(4)
  })

  it('follows a rhythm that changes: what is usual there is no gap', () => {
    const slow = Array.from({ length: 12 }, (_, i) => i * 600)
    const fast = Array.from({ length: 40 }, (_, i) => 6600 + 600 + i * 30)
    const mixed = [...slow, ...fast, 8400 + 900]
    expect(line(raw(...mixed.map((s): [number, number] => [s, 1]))).values.filter((one) => one === null)).toHaveLength(
      1,
    )
    const rare = slow.filter((s) => s !== 3000 && s !== 3600 && s !== 4200)
    const found = line(buckets(...rare.map((s): [number, object] => [s, { mean: 1 }])))
    expect(found.times[found.values.indexOf(null)]).toBe(2400 + 30 + 900)
    expect(found.values.filter((one) => one === null)).toHaveLength(1)
  })

  it('can be moved by a week', () => {
    expect(line(raw([0, 1]), 604_800).times).toEqual([604_800])
  })
})

it('lines meet on one axis; where one has no point it is drawn through', () => {
  const found = align([
    { times: [0, 10], values: [1, 2] },
    { times: [5, 10], values: [null, 4] },
  ])
  expect(found).toEqual([
    [0, 5, 10],
    [1, undefined, 2],
    [undefined, null, 4],
  ])
})

it('a gap of a line is one whatever points others have within it', () => {
  const [, first] = align([
    { times: [0, 10, 25, 60, 70], values: [1, 2, null, 3, 4] },
    { times: [5, 15, 20, 30, 55, 65], values: [9, 9, 9, 9, 9, 9] },
  ])
  //                     0  5          10 15    20    25    30    55    60 65         70
  expect(first).toEqual([1, undefined, 2, null, null, null, null, null, 3, undefined, 4])
})

it('the usual step is the median', () => {
  expect(usual([0, 10, 20, 120])).toBe(10)
  expect(usual([0, 10])).toBe(0)
})

describe('the numbers of a series', () => {
  it('of raw values', () => {
    expect(summary(raw([0, 1], [1, 3, 4], [2, null]))).toEqual({ low: 1, mean: 2, high: 3, good: 0.5, n: 2 })
  })

  it('of buckets are weighted', () => {
    const found = summary(
      buckets([0, { mean: 1, min: 0, max: 2, n: 1 }], [60, { mean: 4, min: 3, max: 9, n: 3, good: 0 }]),
    )
    expect(found).toEqual({ low: 0, mean: 3.25, high: 9, good: 0.25, n: 4 })
  })

  it('of nothing are nothing, never 0', () => {
    expect(summary(raw())).toEqual({ low: null, mean: null, high: null, good: null, n: 0 })
  })
})
