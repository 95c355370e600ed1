import { expect, it } from 'vitest'
import type { Reading } from '../../data/types'
import { ids, tree } from './tree'

const reading = (datastream: number, thing: string, property: string, unit = 'm'): Reading => ({
  datastream, thing, label: thing, property, unit, time: '', result: 1, value: null, quality: 0, flags: [],
}) // prettier-ignore

it('groups by property and finds without marks', () => {
  const readings = [
    reading(1, 'Gia Bảy', 'water_level'),
    reading(2, 'Chã', 'water_level'),
    reading(3, 'Chã', 'rain', 'mm'),
  ]
  const label = (property: string) => ({ water_level: 'Mực nước', rain: 'Mưa' })[property] ?? property
  expect(tree(readings, label, '').map((one) => [one.label, one.leaves.map((leaf) => leaf.datastream)])).toEqual([
    ['Mưa', [3]],
    ['Mực nước', [2, 1]],
  ])
  expect(tree(readings, label, 'muc nuoc gia bay')[0]!.leaves.map((leaf) => leaf.datastream)).toEqual([1])
  expect(tree(readings, label, 'pm10')).toEqual([])
})

it('one property in two units is two branches', () => {
  expect(tree([reading(1, 'a', 'level', 'm'), reading(2, 'b', 'level', 'cm')], String, '')).toHaveLength(2)
})

it('reads ids of an address and nothing else', () => {
  expect(ids('3,1,3,x,-2,0,99999999999', 8)).toEqual([3, 1])
  expect(ids('1,2,3', 2)).toEqual([1, 2])
  expect(ids('', 8)).toEqual([])
})
