/** What a Trend draws; and answers of the API as curves. Pure. */
import { line } from '../parts/align'
import type { Series } from '../data/types'
import type { Values } from './trend'

/** A colour token without its dashes: var(--c1). */
export type Tone = 'c1' | 'c2' | 'c3' | 'c4' | 'c5' | 'c6' | 'c7' | 'c8' | 'text' | 'text-2' | 'text-3'

export interface Curve {
  label: string
  tone: Tone
  /** ms, ascending. */
  times: number[]
  values: Values
  low?: Values | null
  high?: Values | null
  /** A comparison. */
  faint?: boolean
  /** What has not happened yet. */
  dashed?: boolean
}

export interface Level {
  value: number
  label: string
  tone?: 'p1' | 'p2' | 'p3' | 'p4'
}

const WEEK = 7 * 86_400 // s

/** An answer of …/history as a curve; `late` moves it a week later, to lie below the present one. */
export function curve(series: Series, label: string, tone: Tone, late = false): Curve {
  const drawn = line(series, late ? WEEK : 0)
  return {
    label, tone, times: drawn.times.map((at) => at * 1000), values: drawn.values, faint: late,
    low: late ? null : drawn.low, high: late ? null : drawn.high,
  } // prettier-ignore
}
