/** Junctions as a panel ranks them. Pure. */
import type { Advice, Junction } from '../../services/traffic/data'

/** `advice` null: its detectors may not be seen. */
export interface Advised {
  junction: Junction
  advice: Advice | null
}

/** The worst level of service first, then the fullest; those without flows last, by name. */
export function worstFirst(all: readonly Advised[], name: (one: Junction) => string): Advised[] {
  const rank = ({ advice }: Advised) => (advice?.service ?? '@').charCodeAt(0) * 10 + Math.min(advice?.degree ?? 0, 9)
  return [...all].sort((a, b) => rank(b) - rank(a) || name(a.junction).localeCompare(name(b.junction), 'vi'))
}
