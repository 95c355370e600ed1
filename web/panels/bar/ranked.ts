/** Which stations, in which order, and how long their bars are. Pure. */
import type { Reading } from '../../wall/data/types'

export function ranked(readings: readonly Reading[], order: string, count: number): Reading[] {
  const known = readings.filter((one) => one.result !== null)
  if (order === 'highest') known.sort((a, b) => b.result! - a.result!)
  else if (order === 'lowest') known.sort((a, b) => a.result! - b.result!)
  return known.slice(0, count)
}

/** Per cent from left and of width: from zero, to either side where there are negative values. */
export function bars(values: readonly number[]): { left: number; width: number }[] {
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const span = high - low || 1
  return values.map((value) => ({ left: ((Math.min(0, value) - low) / span) * 100, width: (Math.abs(value) / span) * 100 })) // prettier-ignore
}
