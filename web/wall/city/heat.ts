/** How strong a cell of a heat map is. Pure. */

/** 0 to 1 between low and high; `reverse`: low values are the strong ones. */
export function strength(value: number, low: number, high: number, reverse: boolean): number {
  if (high <= low) return 0
  const share = Math.min(1, Math.max(0, (value - low) / (high - low)))
  return reverse ? 1 - share : share
}
