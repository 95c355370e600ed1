/** Corridors as a panel ranks them. Pure. */
import type { Corridor } from '../../services/traffic/data'

/** Travel time over that of a free road; null where either is unknown. */
export function delay(corridor: Corridor): number | null {
  const { free, km } = corridor.configuration
  return free && corridor.seconds !== null ? corridor.seconds / ((km / free) * 3600) : null
}

/** The slowest against its free road first; those without a value last, by name. */
export function slowest(corridors: readonly Corridor[], name: (one: Corridor) => string): Corridor[] {
  return [...corridors].sort((a, b) => (delay(b) ?? -1) - (delay(a) ?? -1) || name(a).localeCompare(name(b), 'vi'))
}
