import { expect, it } from 'vitest'
import type { Series } from '../../wall/data/types'
import { days, midnight } from './hours'

const now = Date.parse('2026-10-08T14:30:00+07:00')
const series = (...rows: [string, number | null][]): Series => ({
  datastream: { id: 1, thing: 't', property: 'p', labels: {}, unit: '1' },
  items: rows.map(([time, result]) => ({ time, result, quality: 0 })),
  used: 'raw',
  bucket_seconds: null,
  thinned: false,
  buckets: null,
})

it('hours are those of the province', () => {
  expect(midnight(now)).toBe(Date.parse('2026-10-08T00:00:00+07:00'))
  const found = days([series(['2026-10-07T17:30:00Z', 4], ['2026-10-07T17:50:00Z', 6], ['2026-10-07T16:59:59Z', 1], ['2026-10-01T00:00:00Z', 99])], 2, now, 'mean') // prettier-ignore
  expect(found.map((day) => day.at)).toEqual([midnight(now) - 86_400_000, midnight(now)])
  expect(found[1]!.hours[0]).toBe(5) // half past midnight on the 8th
  expect(found[0]!.hours[23]).toBe(1)
  expect(found.flatMap((day) => day.hours).filter((one) => one !== null)).toHaveLength(2)
})

it('buckets weigh what is in them; several Datastreams are folded', () => {
  const bucket = { good: 1, min: 0, max: 9, first: 0, last: 0 }
  const means = { ...series(), bucket_seconds: 900, buckets: [
    { ...bucket, time: '2026-10-08T05:00:00Z', n: 1, mean: 10 },
    { ...bucket, time: '2026-10-08T05:15:00Z', n: 3, mean: 2 },
    { ...bucket, time: '2026-10-08T05:30:00Z', n: 0, mean: null },
  ] } // prettier-ignore
  expect(days([means], 1, now, 'mean')[0]!.hours[12]).toBe(4)
  const other = series(['2026-10-08T05:59:00Z', 8], ['2026-10-08T06:00:00Z', null])
  expect(days([means, other], 1, now, 'highest')[0]!.hours[12]).toBe(8)
  expect(days([means, other], 1, now, 'highest')[0]!.hours[13]).toBeNull()
})
