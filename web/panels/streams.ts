/** Datastreams as settings name them, `property@thing`: names hold on another installation too, ids would not. Pure. */
import type { Reading } from '../wall/data/types'

/** The name of a reading's Datastream. Where a Thing has the property twice (measured and calculated), the later one is
 *  told apart by its id. */
export function name(reading: Reading, readings: readonly Reading[]): string {
  const plain = `${reading.property}@${reading.thing}`
  const first = find(plain, readings)
  return first && first.datastream !== reading.datastream ? `${plain}#${reading.datastream}` : plain
}

/** The newest value of the Datastream of that name; undefined: there is none, or no right to it. */
export function find(name: string, readings: readonly Reading[]): Reading | undefined {
  const at = name.indexOf('@')
  if (at < 1) return undefined
  const [property, thing] = [name.slice(0, at), name.slice(at + 1)]
  let found: Reading | undefined
  for (const one of readings)
    if (one.property === property && one.thing === thing && !(found && found.datastream < one.datastream)) found = one
  if (found) return found
  const id = /#(\d{1,10})$/.exec(thing)?.[1]
  if (!id) return undefined
  return readings.find((one) => one.datastream === Number(id) && `${property}@${one.thing}#${id}` === name)
}

export interface Source {
  streams: readonly string[]
  property: string
  area: string
}

/** The newest values that a panel is about: of the chosen Datastreams, in their order; else of the property, in the
 *  area, by the Thing's label. */
export function chosen(
  { streams, property, area }: Source,
  readings: readonly Reading[],
  areaOf: (thing: string) => string | null | undefined,
): Reading[] {
  if (streams.length) return streams.flatMap((one) => find(one, readings) ?? [])
  if (!property) return []
  return readings
    .filter((one) => one.property === property && (!area || areaOf(one.thing) === area))
    .sort((a, b) => (a.label || a.thing).localeCompare(b.label || b.thing, 'vi') || a.datastream - b.datastream)
}

export type Fold = 'highest' | 'lowest' | 'mean' | 'middle' | 'sum'

/** Many values as one; null for none. */
export function fold(values: readonly number[], how: Fold): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[0]!, sorted.at(-1)!]
  if (how === 'highest') return high
  if (how === 'lowest') return low
  const sum = sorted.reduce((a, b) => a + b, 0)
  if (how === 'sum') return sum
  if (how === 'mean') return sum / sorted.length
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Which of the levels the value has reached: 0 for none, 1 for the first. */
export function reached(value: number | null, levels: readonly number[]): number {
  return value === null ? 0 : levels.filter((level) => value >= level).length
}
