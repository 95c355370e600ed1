/** A series as a row of numbers for a small line. Pure. */
import type { Series } from '../../wall/data/types'

/** Means of buckets, or values as they came; null for what is no number. */
export function trend(series: Series | null | undefined): (number | null)[] {
  if (!series) return []
  return series.buckets ? series.buckets.map((one) => one.mean) : series.items.map((one) => one.result)
}
