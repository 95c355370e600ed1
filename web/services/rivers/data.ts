/** The answers of /api/rivers that the page reads, and what is decided from them. Pure. */
import type { Labels } from '../../wall/data/types'
import type { Level } from '../../wall/city/curves'
import type { Point } from '../../wall/city/types'

export interface River {
  name: string
  label: string
  location: Point | null
  configuration: {
    river: string
    levels: [number, number, number]
    verified: string[]
    record: number | null
    datum: number | null
    upstream: string | null
    lag: number | null
    rain_km: number
  }
  source: string
  now: {
    time: string | null
    level: number | null
    flood_level: number | null
    rate: number | null
    /** Rises as fast as the alarm rule tells of. */
    fast: boolean
    to_next: number | null
    forecast_level: number | null
    rain: Record<string, number | null>
  }
}

export interface Lead {
  hours: number
  rmse: number | null
  baseline: number | null
  skill: number | null
  inside: number | null
  pairs: number
}

export interface Forecast {
  method: string
  upstream: string | null
  lag: number | null
  items: { time: string; level: number | null; low: number | null; high: number | null }[]
  leads: Lead[]
}

export interface Replay {
  station: string
  synthetic: boolean
  alarms: number[]
  lag: number | null
  timeline: { time: string; kind: 'level' | 'rise' | 'forecast' | 'peak'; level: number; text: Labels }[]
  leads: Lead[]
  times: string[]
  levels: number[]
}

export const ROMAN = ['–', 'I', 'II', 'III'] as const
export const RAIN = ['1h', '3h', '6h', '24h'] as const
const TONES = [undefined, 'p3', 'p2', 'p1'] as const

/** The colour of an alarm level reached: as the priorities of its alarms. */
export function tone(level: number | null): 'p1' | 'p2' | 'p3' | undefined {
  return TONES[level ?? 0]
}

/** Thresholds of a chart, each named; `unsure` is said of a level that nobody has confirmed. */
export function thresholds(river: Pick<River, 'configuration'>, word: string, unsure: string): Level[] {
  const { levels, verified } = river.configuration
  return levels.map((value, i) => ({
    value,
    label: `${word} ${ROMAN[i + 1]!}${verified.includes(ROMAN[i + 1]!) ? '' : ` (${unsure})`}`,
    tone: (['p3', 'p2', 'p1'] as const)[i]!,
  }))
}

/** What stands gravest first: level reached, level forecast, how fast it rises; then down the river's order by name. */
export function gravest(rivers: readonly River[]): River[] {
  const rank = ({ now }: River) =>
    (now.flood_level ?? -1) * 100 + (now.forecast_level ?? 0) * 10 + Math.max(0, now.rate ?? 0)
  return [...rivers].sort((a, b) => rank(b) - rank(a) || (a.label || a.name).localeCompare(b.label || b.name, 'vi'))
}

/** The station that stands highest against its own alarm levels; undefined: none has a level. */
export function nearest(rivers: readonly River[]): River | undefined {
  const above = ({ now, configuration }: River) => (now.flood_level ?? 0) * 1000 + now.level! - configuration.levels[0]
  return rivers.filter((one) => one.now.level !== null).sort((a, b) => above(b) - above(a) || a.name.localeCompare(b.name))[0] // prettier-ignore
}

/** Stations of one river in the order of the water, as lines of names for the map. */
export function courses(rivers: readonly River[]): string[][] {
  return rivers.flatMap((one) => (one.configuration.upstream ? [[one.configuration.upstream, one.name]] : []))
}

/** How long from one moment to another, in hours. */
export const hoursBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 3_600_000
