/** Colours of values on the map: a sequential scale of one hue for any property, between its own low and high. Pure. */

/** Where `value` stands between low and high, 0 to 1; null for what is no number. */
export function place(value: number | null, low: number, high: number): number | null {
  if (value === null || !Number.isFinite(value)) return null
  if (high <= low) return 0.5
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}

/** The middle of its twentieth: smaller differences are not seen, and would paint anew for nothing. */
export const step = (share: number): number => (Math.min(19, Math.floor(share * 20)) + 0.5) / 20

/** The bounds without the outermost fiftieth on each side, so that one broken sensor does not grey the rest. */
export function bounds(values: readonly number[]): { low: number; high: number } {
  if (values.length === 0) return { low: 0, high: 1 }
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
  return { low: at(0.02), high: at(0.98) }
}

/** A mix of two hex colours; `share` of the second. */
export function mix(one: string, other: string, share: number): string {
  const part = (hex: string, i: number) => Number.parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16)
  const channel = (i: number) => Math.round(part(one, i) * (1 - share) + part(other, i) * share)
  return `rgb(${channel(0)},${channel(1)},${channel(2)})`
}

/** The middle value of each area: areas without a value are left out. */
export function byArea(values: readonly { area: string | null; value: number }[]): Map<string, number> {
  const groups = new Map<string, number[]>()
  for (const { area, value } of values) {
    if (area === null) continue
    const group = groups.get(area)
    if (group) group.push(value)
    else groups.set(area, [value])
  }
  return new Map([...groups].map(([area, group]) => [area, median(group)]))
}

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  const middle = values.length >> 1
  return values.length % 2 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2
}
