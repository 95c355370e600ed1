import { expect, it } from 'vitest'
import { reading } from '../testing'
import { bars, ranked } from './ranked'

const all = [3, null, 9, 1].map((result, i) => reading(i, `t${i}`, 'p', { result }))

it('ranks what has a number', () => {
  expect(ranked(all, 'highest', 2).map((one) => one.result)).toEqual([9, 3])
  expect(ranked(all, 'lowest', 9).map((one) => one.result)).toEqual([1, 3, 9])
  expect(ranked(all, 'name', 9).map((one) => one.result)).toEqual([3, 9, 1])
})

it('bars begin at zero, to either side', () => {
  expect(bars([10, 5, 0])).toEqual([{ left: 0, width: 100 }, { left: 0, width: 50 }, { left: 0, width: 0 }]) // prettier-ignore
  expect(bars([-5, 15])).toEqual([{ left: 0, width: 25 }, { left: 25, width: 75 }]) // prettier-ignore
  expect(bars([0])).toEqual([{ left: 0, width: 0 }])
})
