import { expect, it } from 'vitest'
import type { Advice } from '../../services/traffic/data'
import { type Advised, worstFirst } from './worst'

const junction = (id: string, service: string | null, degree: number | null, seen = true): Advised => ({
  junction: { id, vi: id, en: id, source: 'seed', lost: 12, phases: [] },
  advice: seen ? ({ start: '', end: '', method: '', edition: '', cycle: 60, phases: [], service, degree } satisfies Advice) : null,
}) // prettier-ignore

it('the worst level of service comes first, the fuller of two alike, those without flows last by name', () => {
  const all = [junction('f', null, null), junction('a', 'A', 0.9), junction('e', null, null, false), junction('d', 'D', 0.4), junction('c', 'D', 0.8)] // prettier-ignore
  expect(worstFirst(all, (one) => one.id).map((one) => one.junction.id)).toEqual(['c', 'd', 'a', 'e', 'f'])
})
