/** The answers of /api/traffic that the page reads, and what is decided from them. Pure. */
import type { Point } from '../../wall/city/types'

/** A name in both languages. */
interface Labels {
  vi: string
  en: string
}

export interface Detector {
  name: string
  label: string
  location: Point | null
  time: string | null
  flow: number | null
  density: number | null
  service: string | null
  edition: string | null
  congestion: number | null
  incident: boolean
}

export interface Incident {
  name: string
  label: string
  time: string
  california: number
  threshold: boolean
}

export interface Corridor {
  id: string
  name: string
  configuration: Labels & {
    detectors: { thing: string; km: number }[]
    km: number
    lanes: number
    capacity: number
    free: number | null
  }
  source: string
  time: string | null
  seconds: number | null
  bpr: number | null
}

export interface TimeSpace {
  id: string
  km: number[]
  detectors: string[]
  times: string[]
  speeds: (number | null)[][]
}

export interface Junction extends Labels {
  id: string
  source: string
  lost: number
  phases: (Labels & { detectors: string[]; saturation: number })[]
}

export interface Advice {
  start: string
  end: string
  method: string
  degree: number | null
  cycle: number | null
  service: string | null
  edition: string
  phases: (Labels & { flow: number | null; green: number | null; delay: number | null })[]
}

export interface MethodMeasured {
  method: string
  series: string
  windows: number
  detected: number
  false: number
  false_per_day: number
  false_share: number
  minutes: number | null
}

const TONES: Readonly<Record<string, 'p1' | 'p2' | 'p3'>> = { D: 'p3', E: 'p2', F: 'p1' }

/** The colour of a level of service: A to C are a road's normal state. */
export const tone = (service: string | null): 'p1' | 'p2' | 'p3' | undefined => TONES[service ?? '']

/** The worst of several levels of service. */
export function worst(services: readonly (string | null)[]): string | null {
  return services.reduce((a, b) => (b !== null && (a === null || b > a) ? b : a), null)
}

/** Incidents first, then the worst level of service, then the most lost speed, then by name. */
export function busiest(detectors: readonly Detector[]): Detector[] {
  const rank = (one: Detector) => (one.incident ? 1000 : 0) + (one.service ? one.service.charCodeAt(0) - 64 : 0) * 10 + (one.congestion ?? 0) / 20
  return [...detectors].sort((a, b) => rank(b) - rank(a) || (a.label || a.name).localeCompare(b.label || b.name, 'vi'))
} // prettier-ignore

/** The mean of what is there; null of nothing. */
export function mean(values: readonly (number | null | undefined)[]): number | null {
  const there = values.filter((one): one is number => typeof one === 'number')
  return there.length ? there.reduce((a, b) => a + b, 0) / there.length : null
}

/** km/h over a corridor that takes so many seconds. */
export const speed = (km: number, seconds: number | null): number | null => (seconds ? (km / seconds) * 3600 : null)

/** 5:12 of seconds. */
export function clock(seconds: number | null): string {
  if (seconds === null) return '–'
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** Bounds of a heat map of speeds: from a standstill to the fastest seen, in tens. */
export function fastest(speeds: readonly (readonly (number | null)[])[]): number {
  const all = speeds.flat().filter((one): one is number => one !== null)
  return Math.max(30, Math.ceil(Math.max(0, ...all) / 10) * 10)
}
