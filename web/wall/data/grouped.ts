import type { Reading } from './types'

/** Readings by their Thing, in the order they came. */
export function grouped(readings: Reading[]): Map<string, Reading[]> {
  const found = new Map<string, Reading[]>()
  for (const reading of readings) {
    const others = found.get(reading.thing)
    if (others) others.push(reading)
    else found.set(reading.thing, [reading])
  }
  return found
}
