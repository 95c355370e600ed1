import { expect, it } from 'vitest'
import { strength } from './heat'

it('a cell is as strong as its value is high, or low', () => {
  expect(strength(50, 0, 50, false)).toBe(1)
  expect(strength(50, 0, 50, true)).toBe(0)
  expect(strength(-9, 0, 50, true)).toBe(1)
  expect(strength(7, 5, 5, false)).toBe(0)
})
