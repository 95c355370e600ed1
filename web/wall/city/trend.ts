/** The geometry of a trend: scales, ticks, paths with gaps. Pure; times in ms since 1970 unless said otherwise. */
import { measured } from '$ui/units'
import type { Language } from '$ui/dictionary'

export type Values = readonly (number | null)[]

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const OFFSET = 7 * HOUR // +07, where the province is
const STEPS = [
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 61 * DAY, 182 * DAY, 365 * DAY,
] // prettier-ignore

/** Where `value` of [low, high] lies on a stretch of `length` px from `start`. */
export function scale(low: number, high: number, start: number, length: number): (value: number) => number {
  const span = high - low || 1
  return (value) => start + ((value - low) / span) * length
}

/** Round numbers between low and high, `most` at most. */
export function ticks(low: number, high: number, most: number): number[] {
  if (!(high > low)) return [low]
  const rough = (high - low) / Math.max(1, most)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough)!
  const found: number[] = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    found.push(Number((k * step).toFixed(9)))
  return found
}

const two = (n: number) => String(n).padStart(2, '0')

/** Moments of the local day between from and to, and what to write below each: 14:30; at midnight the day. */
export function moments(from: number, to: number, most: number): { at: number; text: string }[] {
  const step = STEPS.find((one) => (to - from) / one <= Math.max(1, most)) ?? STEPS.at(-1)!
  const found: { at: number; text: string }[] = []
  for (let local = Math.ceil((from + OFFSET) / step) * step; local <= to + OFFSET; local += step) {
    const date = new Date(local)
    const midnight = local % DAY === 0
    const day = `${two(date.getUTCDate())}/${two(date.getUTCMonth() + 1)}`
    found.push({ at: local - OFFSET, text: midnight ? day : `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` })
  }
  return found
}

/** An SVG path through the points; null lifts the pen. `undefined` never comes here: a gap is a null. */
export function path(
  times: readonly number[],
  values: Values,
  x: (t: number) => number,
  y: (v: number) => number,
): string {
  let drawn = ''
  let down = false
  times.forEach((at, i) => {
    const value = values[i]
    if (value === null || value === undefined) down = false
    else {
      drawn += `${down ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
      down = true
    }
  })
  return drawn
}

/** The area between two lines, a piece for each stretch where both are there. */
export function area(times: readonly number[], low: Values, high: Values, x: (t: number) => number, y: (v: number) => number): string {
  let drawn = ''
  let run: number[] = []
  const close = () => {
    if (run.length > 1) {
      const point = (i: number, of: Values) => `${x(times[i]!).toFixed(1)} ${y(of[i]!).toFixed(1)}`
      drawn += `M${run.map((i) => point(i, high)).join('L')}L${[...run].reverse().map((i) => point(i, low)).join('L')}Z`
    }
    run = []
  }
  times.forEach((_, i) => {
    if (typeof low[i] === 'number' && typeof high[i] === 'number') run.push(i)
    else close()
  })
  close()
  return drawn
} // prettier-ignore

/** Stretches [from, to] without a value between two that have one. */
export function gaps(times: readonly number[], values: Values): [number, number][] {
  const found: [number, number][] = []
  let last: number | null = null
  let open = false
  times.forEach((at, i) => {
    if (values[i] === null || values[i] === undefined) open = last !== null
    else {
      if (open && last !== null) found.push([last, at])
      last = at
      open = false
    }
  })
  return found
}

/** Lowest and highest of all, with some air; `least` px apart at least in value; from zero for amounts. */
export function reach(values: Iterable<number | null | undefined>, fromZero: boolean, least = 0): [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    if (typeof value !== 'number' || !Number.isFinite(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (low > high) return [0, 1]
  if (fromZero) low = Math.min(0, low)
  const missing = Math.max(0, least - (high - low))
  const air = (high - low + missing || Math.abs(high) || 1) * 0.08
  return [fromZero && low >= 0 ? 0 : low - missing / 2 - air, high + missing / 2 + air]
}

/** The index of the time nearest to `at`; -1 of none. `times` ascend. */
export function nearest(times: readonly number[], at: number): number {
  if (times.length === 0) return -1
  let [low, high] = [0, times.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (times[middle]! <= at) low = middle
    else high = middle
  }
  return at - times[low]! <= times[high]! - at ? low : high
}

/** A difference with its sign: +14, −0,3. */
export function signed(value: number, language: Language): string {
  return `${value > 0 ? '+' : ''}${measured(value, language)}`
}
