import { expect, it } from 'vitest'
import type { Corridor } from '../../services/traffic/data'
import { delay, slowest } from './slow'

const corridor = (id: string, seconds: number | null, free: number | null): Corridor => ({
  id, name: `corridor-${id}`, source: 'seed', time: null, seconds, bpr: null,
  configuration: { vi: id, en: id, detectors: [], km: 3, lanes: 2, capacity: 1800, free },
}) // prettier-ignore

it('6 minutes over 3 km that take 3.6 at 50 km/h are 1.67 times as long', () => {
  expect(delay(corridor('a', 360, 50))).toBeCloseTo(1.667, 3)
  expect(delay(corridor('a', null, 50))).toBeNull()
  expect(delay(corridor('a', 360, null))).toBeNull()
})

it('the most delayed comes first, the unknown last by name', () => {
  const all = [corridor('d', null, 50), corridor('b', 230, 50), corridor('a', 360, 50), corridor('c', null, 50)]
  expect(slowest(all, (one) => one.id).map((one) => one.id)).toEqual(['a', 'b', 'c', 'd'])
})
