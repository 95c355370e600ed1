/** Zooming about a moment and moving along: where the range goes. Pure; ms. */
import { LONGEST, type Range, SHORTEST } from '../shell/range'

/** `factor` below 1 is nearer; the moment `at` stays where it is on the screen. */
export function about(range: Range, at: number, factor: number, now: number): Range {
  const end = range.end ?? now
  const span = Math.min(LONGEST, Math.max(SHORTEST, range.span * factor))
  const share = Math.min(1, Math.max(0, (end - at) / range.span))
  return held(at + share * span, span, range.end === null && share < 0.02, now)
}

/** So much later (earlier below 0); reaching the present follows it again. */
export function slide(range: Range, by: number, now: number): Range {
  return held((range.end ?? now) + by, range.span, false, now)
}

function held(end: number, span: number, follow: boolean, now: number): Range {
  return { span, end: follow || end >= now ? null : Math.round(end) }
}

/** The moment at a place `x` of an axis `width` wide. */
export function moment(x: number, width: number, from: number, to: number): number {
  return from + Math.min(1, Math.max(0, width > 0 ? x / width : 0)) * (to - from)
}
