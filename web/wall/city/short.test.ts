import { expect, it } from 'vitest'
import { short } from './short'

it('leaves out what all names begin with, in whole words', () => {
  expect(short(['Trạm khí Quang Sơn', 'Trạm khí Quảng Yên'])).toEqual(['Quang Sơn', 'Quảng Yên'])
  expect(short(['Trạm A', 'Điểm B'])).toEqual(['Trạm A', 'Điểm B'])
})

it('leaves something of each', () => {
  expect(short(['Trạm 1', 'Trạm 2'])).toEqual(['Trạm 1', 'Trạm 2'])
  expect(short(['Trạm khí', 'Trạm khí'])).toEqual(['khí', 'khí'])
  expect(short(['Trạm khí'])).toEqual(['Trạm khí'])
  expect(short([])).toEqual([])
})
