/** Rows in the order of a column. Pure. */
import type { Reading } from '../../wall/data/types'

export type Column = 'station' | 'property' | 'value' | 'age'

/** What has no number comes last either way. */
export function sorted(readings: readonly Reading[], by: Column, down: boolean): Reading[] {
  const compare: Record<Column, (a: Reading, b: Reading) => number> = {
    station: (a, b) => (a.label || a.thing).localeCompare(b.label || b.thing, 'vi'),
    property: (a, b) => a.property.localeCompare(b.property),
    value: (a, b) => a.result! - b.result!,
    age: (a, b) => Date.parse(b.time) - Date.parse(a.time),
  }
  const rows = by === 'value' ? readings.filter((one) => one.result !== null) : [...readings]
  rows.sort((a, b) => (down ? -1 : 1) * compare[by](a, b) || a.datastream - b.datastream)
  return by === 'value' ? [...rows, ...readings.filter((one) => one.result === null)] : rows
}
