import { expect, it } from 'vitest'
import type { Latest } from '../../data/convert'
import type { Thing } from '../../data/types'
import { type Health, health, rows } from './list'

const now = Date.parse('2026-11-22T08:00:00Z')
const reading = (minutes: number) => ({ at: now - minutes * 60_000 }) as Latest
const thing = (name: string, more: Partial<Thing> = {}) =>
  ({ name, label: name, kind: 'air', status: 'active', area: null, ...more }) as Thing

it('a device is as live as its newest value', () => {
  expect(health(undefined, now, 900_000)).toBe('never')
  expect(health([], now, 900_000)).toBe('never')
  expect(health([reading(60), reading(3)], now, 900_000)).toBe('live')
  expect(health([reading(60)], now, 900_000)).toBe('late')
})

it('what is silent comes first; pending ones have a list of their own', () => {
  const things = [thing('b'), thing('a'), thing('c', { kind: 'rain' }), thing('p', { status: 'pending' })]
  const states: Record<string, Health> = { a: 'live', b: 'late', c: 'never', p: 'live' }
  const list = (filter = {}) =>
    rows(things, (one) => states[one.name]!, { query: '', kind: '', state: '', ...filter }).map((row) => row.thing.name)
  expect(list()).toEqual(['b', 'a', 'c'])
  expect(list({ kind: 'rain' })).toEqual(['c'])
  expect(list({ state: 'late' })).toEqual(['b'])
  expect(list({ query: 'zz' })).toEqual([])
})
