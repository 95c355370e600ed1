/** The answer of /api/noise/points, and what is decided from it. Pure. */
import type { Point as Place } from '../../wall/city/types'

export interface Point {
  name: string
  label: string
  location: Place | null
  time: string | null
  leq: number | null
  limit: number | null
  lden: number | null
  day: string | null
}

/** What may be from one local hour to another: /api/noise/limits. */
export interface Limit {
  start: number
  end: number
  db: number
}

/** dB above the limit of the hour; below 0 it is within. */
export function over(point: Point): number | null {
  return point.leq === null || point.limit === null ? null : point.leq - point.limit
}

/** Most above its limit first; those without a value last, by name. */
export function loudest(points: readonly Point[]): Point[] {
  return [...points].sort(
    (a, b) => (over(b) ?? -999) - (over(a) ?? -999) || (a.label || a.name).localeCompare(b.label || b.name, 'vi'),
  )
}
