/** Junctions as a panel ranks them. Pure. */
import type { Advice, Junction } from '../../services/traffic/data'

/** `advice` null: its detectors may not be seen. */
export interface Advised {
  junction: Junction
  advice: Advice | null
}

/** Fuller than any cycle can serve: then there is no level of service either, for it is worse than all. */
export function overloaded(advice: Advice | null): boolean {
  return advice !== null && advice.degree !== null && advice.cycle === null
}

/** The overloaded, then the worst level of service first, of these the fullest; those without flows last, by name. */
export function worstFirst(all: readonly Advised[], name: (one: Junction) => string): Advised[] {
  const grade = ({ advice }: Advised) => (overloaded(advice) ? 'Z' : (advice?.service ?? '@')).charCodeAt(0)
  const rank = (one: Advised) => grade(one) * 10 + Math.min(one.advice?.degree ?? 0, 9)
  return [...all].sort((a, b) => rank(b) - rank(a) || name(a.junction).localeCompare(name(b.junction), 'vi'))
}
