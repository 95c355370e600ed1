/** The scale of a gauge: its ends, and where values stand on it. Pure. */

export interface Scale {
  low: number
  high: number
}

/** The ends that were asked for; else from zero (or the value below it) to a round number above value and levels. */
export function scale(value: number | null, levels: readonly number[], low: number | null, high: number | null): Scale {
  const known = [...levels, ...(value === null ? [] : [value])]
  const top = Math.max(0, ...known)
  const bottom = Math.min(0, ...known)
  const from = low ?? (bottom < 0 ? -round(-bottom * 1.1) : 0)
  const to = high ?? round(Math.max(top * 1.15, from + 1e-9))
  return to > from ? { low: from, high: to } : { low: from, high: from + 1 }
}

/** 1, 2, 2.5, 5 or 10 times a power of ten, not below `value`. */
export function round(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= value * (1 - 1e-12)) ?? 10
  return step * power
}

/** Between 0 and 1; a value beyond an end stands at it. */
export function share(value: number, { low, high }: Scale): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}
