/** Series as hours of days, in +07. Pure. */
import type { Series } from '../../wall/data/types'
import { type Fold, fold } from '../streams'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const OFFSET = 7 * HOUR // the province's, whatever the machine's zone

export interface Day {
  /** Its midnight, ms since 1970. */
  at: number
  /** By hour; null: nothing was measured. */
  hours: (number | null)[]
}

/** The midnight in +07 at or before `ms`. */
export function midnight(ms: number): number {
  return Math.floor((ms + OFFSET) / DAY) * DAY - OFFSET
}

/** The last `days` days up to `now`, the oldest first. Hours of one Datastream are means weighted by how many values are
 *  in them; those of several Datastreams are folded. */
export function days(series: readonly Series[], days: number, now: number, how: Fold): Day[] {
  const first = midnight(now) - (days - 1) * DAY
  const columns = series.map((one) => hourly(one, first, days * 24))
  return Array.from({ length: days }, (_, d) => ({
    at: first + d * DAY,
    hours: Array.from({ length: 24 }, (_, h) => fold(columns.flatMap((column) => column[d * 24 + h] ?? []), how)),
  })) // prettier-ignore
}

function hourly(series: Series, first: number, hours: number): (number | undefined)[] {
  const sums = new Float64Array(hours)
  const counts = new Float64Array(hours)
  const put = (at: number, value: number | null, n: number) => {
    const hour = Math.floor((at - first) / HOUR)
    if (value === null || hour < 0 || hour >= hours) return
    sums[hour]! += value * n
    counts[hour]! += n
  }
  for (const one of series.buckets ?? []) put(Date.parse(one.time), one.mean, one.n)
  if (!series.buckets) for (const one of series.items) put(Date.parse(one.time), one.result, 1)
  return Array.from(sums, (sum, i) => (counts[i]! > 0 ? sum / counts[i]! : undefined))
}
