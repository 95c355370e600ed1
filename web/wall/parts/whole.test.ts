import { expect, it } from 'vitest'
import { whole } from './whole'

it('shows all rows where they fit, and keeps room for the number of the rest where they do not', () => {
  expect([3, 4, 5, 90].map((count) => whole(count, 4 * 40, 40, 20))).toEqual([3, 4, 3, 3])
  expect(whole(9, 4 * 40 + 19, 40, 20)).toBe(3)
  expect(whole(9, 4 * 40 + 20, 40, 20)).toBe(4)
  expect(whole(5, 5 * 40 - 2, 40, 0)).toBe(4)
})

it('shows all before anything was measured, and never less than none', () => {
  expect(whole(9, 0, 40, 20)).toBe(9)
  expect(whole(9, 200, 0, 20)).toBe(9)
  expect(whole(9, 10, 40, 20)).toBe(0)
})

it('does not lose a row to the rounding of a fraction of a pixel', () => {
  expect(whole(4, 159.6, 40, 20)).toBe(4)
})
