/** The answers of /api/air that the page reads, and what is decided from them. Pure. */
import type { Labels } from '../../wall/data/types'
import type { Point } from '../../wall/city/types'

export interface Band {
  key: string
  to: number
  colour: string
  ink: string
  labels: Labels
  advice: Record<string, Labels>
}

export interface Index {
  value: number | null
  time: string | null
  band: string | null
  worst: string | null
  sub: Record<string, number>
}

export interface Station {
  name: string
  label: string
  area: string | null
  location: Point | null
  index: Index
}

export interface StationDetail extends Station {
  day: Index
  us: Index
  advice: Record<string, Labels>
}

export interface Communes {
  method: string
  labels: Labels
  error: number | null
  error_time: string | null
  items: { area: string; name: string; location: Point | null; index: Index }[]
}

export interface Forecast {
  method: string
  items: { time: string; value: number | null; band: string | null }[]
  persistence: number | null
  leads: { hours: number; rmse: number | null; baseline: number | null; skill: number | null; pairs: number }[]
}

export interface Episode {
  start: string
  end: string
  hours: number
  peak: number
  mean: number
}

export interface Day {
  day: string
  value: number | null
  band: string | null
  worst: string | null
}

export interface Sensor {
  name: string
  label: string
  complete: number
  hours: number
  drift: number | null
  drifts: boolean
  days: number
}

export const POLLUTANTS = ['pm2_5', 'pm10', 'o3', 'no2', 'so2', 'co'] as const
const NAMES: Readonly<Record<string, string>> = {
  pm2_5: 'PM2.5',
  pm10: 'PM10',
  o3: 'O3',
  no2: 'NO2',
  so2: 'SO2',
  co: 'CO',
}
export const pollutant = (key: string): string => NAMES[key] ?? key
export const GROUPS = ['children', 'elderly', 'athletes'] as const

/** Worst first; those without an index last, by name. */
export function worstFirst<T extends { label: string; name: string; index: Index }>(stations: readonly T[]): T[] {
  return [...stations].sort(
    (a, b) =>
      (b.index.value ?? -1) - (a.index.value ?? -1) || (a.label || a.name).localeCompare(b.label || b.name, 'vi'),
  )
}

export interface Month {
  /** 1 to 12. */
  month: number
  /** Rows of seven days from Monday; null: not of this month. */
  weeks: (Day | null)[][]
}

/** A year as months of weeks; a day without an index is a Day without a value. */
export function months(year: number, days: readonly Day[]): Month[] {
  const known = new Map(days.map((one) => [one.day, one]))
  return Array.from({ length: 12 }, (_, m) => {
    const length = new Date(Date.UTC(year, m + 1, 0)).getUTCDate()
    const first = (new Date(Date.UTC(year, m, 1)).getUTCDay() + 6) % 7
    const cells: (Day | null)[] = Array.from({ length: first }, () => null)
    for (let d = 1; d <= length; d++) {
      const day = `${year}-${String(m + 1).padStart(2, '0')}-${String(d).padStart(2, '0')}`
      cells.push(known.get(day) ?? { day, value: null, band: null, worst: null })
    }
    while (cells.length % 7) cells.push(null)
    return { month: m + 1, weeks: Array.from({ length: cells.length / 7 }, (_, w) => cells.slice(7 * w, 7 * w + 7)) }
  })
}
