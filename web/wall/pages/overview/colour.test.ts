import { expect, it } from 'vitest'
import { bounds, byArea, mix, place } from './colour'

it('a value has its place between low and high', () => {
  expect(place(5, 0, 10)).toBe(0.5)
  expect(place(-5, 0, 10)).toBe(0)
  expect(place(50, 0, 10)).toBe(1)
  expect(place(3, 3, 3)).toBe(0.5)
  expect(place(null, 0, 10)).toBeNull()
  expect(place(NaN, 0, 10)).toBeNull()
})

it('one broken sensor does not stretch the scale', () => {
  const values = [...Array.from({ length: 99 }, (_, i) => i), 1e6]
  expect(bounds(values)).toEqual({ low: 2, high: 97 })
  expect(bounds([])).toEqual({ low: 0, high: 1 })
})

it('mixes', () => {
  expect(mix('#000000', '#ffffff', 0.5)).toBe('rgb(128,128,128)')
  expect(mix('#102030', '#ffffff', 0)).toBe('rgb(16,32,48)')
})

it('an area has the middle of its values', () => {
  const found = byArea([
    { area: 'a', value: 1 },
    { area: 'a', value: 9 },
    { area: 'a', value: 2 },
    { area: 'b', value: 4 },
    { area: 'b', value: 6 },
    { area: null, value: 100 },
  ])
  expect([...found]).toEqual([
    ['a', 2],
    ['b', 5],
  ])
})
