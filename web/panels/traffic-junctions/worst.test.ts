import { expect, it } from 'vitest'
import type { Advice } from '../../services/traffic/data'
import { type Advised, worstFirst } from './worst'

const junction = (id: string, service: string | null, degree: number | null, seen = true, cycle: number | null = 60): Advised => ({
  junction: { id, vi: id, en: id, source: 'seed', lost: 12, phases: [] },
  advice: seen ? ({ start: '', end: '', method: '', edition: '', cycle, phases: [], service, degree } satisfies Advice) : null,
}) // prettier-ignore

it('the overloaded and then the worst level of service come first, the fuller of two alike, those without flows last by name', () => {
  const all = [junction('f', null, null), junction('a', 'A', 0.9), junction('e', null, null, false), junction('d', 'D', 0.4), junction('c', 'D', 0.8), junction('g', null, 1.6, true, null)] // prettier-ignore
  expect(worstFirst(all, (one) => one.id).map((one) => one.junction.id)).toEqual(['g', 'c', 'd', 'a', 'e', 'f'])
})
