/** The list of series by property: what there is to draw. Pure. */
import type { Reading } from '../../data/types'
import { score } from '../../shell/find'

export interface Branch {
  property: string
  label: string
  unit: string
  leaves: Reading[]
}

/** Readings by property, properties and stations by name; only what `query` finds. */
export function tree(readings: readonly Reading[], label: (property: string) => string, query: string): Branch[] {
  const branches = new Map<string, Branch>()
  for (const reading of readings) {
    const name = label(reading.property)
    if (!score(query, `${name} ${reading.property} ${reading.label} ${reading.thing}`)) continue
    const key = `${reading.property} ${reading.unit}`
    let branch = branches.get(key)
    if (!branch)
      branches.set(key, (branch = { property: reading.property, label: name, unit: reading.unit, leaves: [] }))
    branch.leaves.push(reading)
  }
  const found = [...branches.values()].sort((a, b) => a.label.localeCompare(b.label, 'vi'))
  for (const branch of found) branch.leaves.sort((a, b) => (a.label || a.thing).localeCompare(b.label || b.thing, 'vi'))
  return found
}

/** The chosen Datastreams of an address; what is no id is left out. */
export function ids(text: string, most: number): number[] {
  const found = text
    .split(',')
    .filter((one) => /^\d{1,9}$/.test(one))
    .map(Number)
  return [...new Set(found)].filter((id) => id > 0).slice(0, most)
}
