import { expect, it } from 'vitest'
import type { Health } from '../../data/fresh'
import type { Thing } from '../../data/types'
import { rows } from './list'

const thing = (name: string, more: Partial<Thing> = {}) =>
  ({ name, label: name, kind: 'air', status: 'active', area: null, ...more }) as Thing

it('what is silent comes first; pending ones have a list of their own', () => {
  const things = [thing('b'), thing('a'), thing('c', { kind: 'rain' }), thing('p', { status: 'pending' })]
  const states: Record<string, Health> = { a: 'live', b: 'late', c: 'never', p: 'live' }
  const list = (filter = {}) =>
    rows(things, (one) => states[one.name]!, { query: '', kind: '', state: '', ...filter }).map((row) => row.thing.name)
  expect(list()).toEqual(['b', 'a', 'c'])
  expect(list({ kind: 'rain' })).toEqual(['c'])
  expect(list({ state: 'late' })).toEqual(['b'])
  expect(list({ query: 'zz' })).toEqual([])
  things.push(thing('zone', { kind: 'area' })) // no device: it only carries results
  expect(list()).toEqual(['b', 'a', 'c'])
  expect(list({ query: 'zo' })).toEqual(['zone'])
  expect(list({ kind: 'area' })).toEqual(['zone'])
  expect(list({ kind: 'all' })).toHaveLength(4)
})
