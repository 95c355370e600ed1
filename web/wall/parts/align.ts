/** Series as uPlot wants them: one axis of times, a column a line, null where a gap is. Pure. */
import type { Series } from '../data/types'

export interface Line {
  /** Unix s, ascending. */
  times: number[]
  values: (number | null)[]
  low: (number | null)[] | null
  high: (number | null)[] | null
}

/** Good or not, a number is drawn; what is missing for longer than `GAP` steps usual there is a gap. */
const GAP = 3
/** As many steps to either side say what is usual: a device may change its rhythm, to save its battery or on demand. */
const ABOUT = 5

/** One answer as a line. Means of buckets stand in the middle of their stretch. `shift` moves it later, s. */
export function line(series: Series, shift = 0): Line {
  const times: number[] = []
  const values: (number | null)[] = []
  const low: (number | null)[] = []
  const high: (number | null)[] = []
  const put = (at: number, value: number | null, least: number | null, most: number | null) => {
    times.push(at)
    values.push(value)
    low.push(least)
    high.push(most)
  }
  const rows = series.buckets
    ? series.buckets.map((one) => ({
        at: Date.parse(one.time) / 1000 + (series.bucket_seconds ?? 0) / 2 + shift,
        value: one.mean,
        low: one.min as number | null,
        high: one.max as number | null,
      }))
    : series.items.map((one) => ({ at: Date.parse(one.time) / 1000 + shift, value: one.result, low: null, high: null }))
  const least = series.buckets ? (series.bucket_seconds ?? 0) * 1.5 : 0
  const moments = rows.map((row) => row.at)
  rows.forEach((row, i) => {
    const before = rows[i - 1]
    if (before && row.at - before.at > least) {
      const limit = bound(moments, i, least)
      if (limit > 0 && row.at - before.at > limit) put(before.at + limit / 2, null, null, null)
    }
    put(row.at, row.value, row.low, row.high)
  })
  return { times, values, low: series.buckets ? low : null, high: series.buckets ? high : null }
}

/** How long the step to the i-th of `times` may be before it is a gap, s; 0: nobody knows. Where values are rarer than
 *  their buckets (`least`: how far apart the buckets may be), it is their own rhythm that counts. */
function bound(times: readonly number[], i: number, least: number): number {
  const step = usual(times.slice(Math.max(0, i - 1 - ABOUT), i + 1 + ABOUT))
  return step > least ? step * GAP : least
}

/** The median step, s; 0 for fewer than three. */
export function usual(times: readonly number[]): number {
  if (times.length < 4) return 0
  const steps = times.slice(1).map((at, i) => at - times[i]!)
  steps.sort((a, b) => a - b)
  return steps[(steps.length - 1) >> 1]!
}

/** All lines on one axis: [times, …columns]; undefined where a line has no point of its own (drawn through), null at a gap,
 *  also wherever other lines have points within it: for uPlot a gap ends at the next point that is not null. */
export function align(
  lines: readonly { times: number[]; values: (number | null)[] }[],
): [number[], ...(number | null | undefined)[][]] {
  const times = [...new Set(lines.flatMap((one) => one.times))].sort((a, b) => a - b)
  const index = new Map(times.map((at, i) => [at, i]))
  const columns = lines.map((one) => {
    const column = new Array<number | null | undefined>(times.length).fill(undefined)
    let [last, gap] = [-1, false]
    one.times.forEach((at, i) => {
      const place = index.get(at)!
      const value = one.values[i] ?? null
      if ((value === null || gap) && last >= 0) column.fill(null, last + 1, place)
      column[place] = value
      last = place
      gap = value === null
    })
    return column
  })
  return [times, ...columns]
}

export interface Summary {
  low: number | null
  mean: number | null
  high: number | null
  /** Share of good values, 0 to 1; null without any. */
  good: number | null
  n: number
}

/** The numbers of the table below a chart. A mean of buckets is weighted by how much is in each. */
export function summary(series: Series): Summary {
  let [n, good, sum, low, high] = [0, 0, 0, Infinity, -Infinity]
  for (const one of series.buckets ?? []) {
    if (one.mean === null) continue
    n += one.n
    good += one.good * one.n
    sum += one.mean * one.n
    low = Math.min(low, one.min)
    high = Math.max(high, one.max)
  }
  for (const one of series.buckets ? [] : series.items) {
    if (one.result === null) continue
    n += 1
    good += one.quality === 0 ? 1 : 0
    sum += one.result
    low = Math.min(low, one.result)
    high = Math.max(high, one.result)
  }
  if (n === 0) return { low: null, mean: null, high: null, good: null, n }
  return { low, mean: sum / n, high, good: good / n, n }
}
