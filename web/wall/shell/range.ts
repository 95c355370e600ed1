/** The time that every tile shows: a span that ends now, or at a moment. Pure; ms since 1970. */

export interface Range {
  /** ms. */
  span: number
  /** The end; null follows the present. */
  end: number | null
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const units = { m: MINUTE, h: HOUR, d: DAY } as const

export const presets = ['1h', '6h', '24h', '7d', '30d', '365d'] as const
export const SHORTEST = MINUTE
export const LONGEST = 20 * 366 * DAY
export const USUAL: Range = { span: DAY, end: null }

/** `24h`, or `6h@2026-10-08T07:00:00Z`. What is neither is the usual range. */
export function parseRange(text: string): Range {
  const [, count, unit, end] = /^(\d{1,6})([mhd])(?:@(.+))?$/.exec(text) ?? []
  if (!count || !unit) return USUAL
  const span = Number(count) * units[unit as keyof typeof units]
  if (span < SHORTEST || span > LONGEST) return USUAL
  const at = end === undefined ? null : Date.parse(end)
  return at !== null && Number.isNaN(at) ? USUAL : { span, end: at }
}

/** The inverse, in whole minutes. */
export function formatRange({ span, end }: Range): string {
  const minutes = Math.max(1, Math.round(span / MINUTE))
  const length =
    minutes % 1440 === 0 && minutes > 1440
      ? `${minutes / 1440}d`
      : minutes % 60 === 0
        ? `${minutes / 60}h`
        : `${minutes}m`
  return end === null ? length : `${length}@${new Date(end).toISOString().replace('.000Z', 'Z')}`
}

export function bounds({ span, end }: Range, now: number): { from: number; to: number } {
  const to = end ?? now
  return { from: to - span, to }
}

/** Half a span earlier (-1) or later (+1); reaching the present follows it again. */
export function shift(range: Range, direction: -1 | 1, now: number): Range {
  const end = (range.end ?? now) + (direction * range.span) / 2
  return { span: range.span, end: end >= now ? null : end }
}

/** What was dragged over: never shorter than a minute, never from the future. */
export function zoom(from: number, to: number, now: number): Range {
  const [low, high] = from < to ? [from, to] : [to, from]
  const end = Math.min(high, now)
  return { span: Math.min(LONGEST, Math.max(SHORTEST, end - low)), end: end >= now ? null : end }
}

/** Twice as long about the same middle, or to the present. */
export function widen(range: Range, now: number): Range {
  const span = Math.min(LONGEST, range.span * 2)
  if (range.end === null) return { span, end: null }
  const end = range.end + range.span / 2
  return { span, end: end >= now ? null : end }
}

/** After how many ms a chart of this range asks again: a five-hundredth of it, between 2 s and 5 min. */
export function refresh({ span }: Range): number {
  return Math.min(5 * MINUTE, Math.max(2000, span / 500))
}
