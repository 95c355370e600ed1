import { expect, it } from 'vitest'
import { together } from './together'

it('is the mean of what there is, and a gap where nobody has anything', () => {
  expect(together([[1, null, 3, 0], [3, null, null, 0]])).toEqual([2, null, 3, 0]) // prettier-ignore
  expect(together([[5, null]])).toEqual([5, null])
  expect(together([])).toEqual([])
})
