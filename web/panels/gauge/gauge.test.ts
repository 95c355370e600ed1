import { expect, it } from 'vitest'
import { round, scale, share } from './scale'

it('a scale begins at zero and ends above value and levels', () => {
  expect(scale(20, [25, 26, 27], null, null)).toEqual({ low: 0, high: 50 })
  expect(scale(20, [], 10, 30)).toEqual({ low: 10, high: 30 })
  expect(scale(null, [], null, null)).toEqual({ low: 0, high: 1e-9 * 1 })
  expect(scale(-4, [], null, null)).toMatchObject({ low: -5 })
  expect(scale(5, [], 30, 10)).toEqual({ low: 30, high: 31 }) // ends the wrong way round
})

it('round numbers', () => {
  expect([0.3, 1, 1.2, 2.3, 7, 31.05, 118, -1].map(round)).toEqual([0.5, 1, 2, 2.5, 10, 50, 200, 1])
})

it('a value beyond an end stands at it', () => {
  expect([5, 10, 20, 40].map((value) => share(value, { low: 10, high: 30 }))).toEqual([0, 0, 0.5, 1])
})
