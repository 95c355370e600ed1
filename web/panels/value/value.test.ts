import { describe, expect, it } from 'vitest'
import { reached } from '../streams'
import { trend } from './trend'

const series = {
  datastream: { id: 1, thing: 't', property: 'p', labels: {}, unit: '1' },
  used: 'raw',
  bucket_seconds: null,
  thinned: false,
}

describe('a value', () => {
  it('has the trend of what was read, gaps kept', () => {
    const item = (result: number | null) => ({ time: '2026-01-01T00:00:00Z', result, quality: 0 })
    expect(trend({ ...series, items: [item(1), item(null), item(3)], buckets: null })).toEqual([1, null, 3])
    const bucket = { time: '', n: 1, good: 1, min: 0, max: 2, first: 0, last: 2 }
    expect(trend({ ...series, items: [], buckets: [{ ...bucket, mean: 1 }, { ...bucket, mean: null }] })).toEqual([1, null]) // prettier-ignore
    expect(trend(null)).toEqual([])
  })

  it('is marked by the highest level that it reached', () => {
    expect([24, 25, 26.5, 30].map((value) => reached(value, [25, 26, 27]))).toEqual([0, 1, 2, 3])
    expect(reached(null, [1])).toBe(0)
  })
})
