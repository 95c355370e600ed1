import { expect, it } from 'vitest'
import { reading } from '../testing'
import { alike } from './alike'

it('draws on one axis what has one unit', () => {
  const all = [reading(1, 'a', 'level', { unit: 'm' }), reading(2, 'b', 'rain', { unit: 'mm' }), reading(3, 'c', 'level', { unit: 'm' })] // prettier-ignore
  expect(alike(all).map((one) => one.datastream)).toEqual([1, 3])
  expect(alike([])).toEqual([])
})
