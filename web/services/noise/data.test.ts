import { expect, it } from 'vitest'
import { type Point, loudest, over } from './data'

const point = (name: string, leq: number | null, limit: number | null): Point => ({
  name, label: '', location: null, time: null, leq, limit, lden: null, day: null,
}) // prettier-ignore

it('what is most above the limit of its hour comes first', () => {
  const found = loudest([point('a', 66, 70), point('b', 58, 55), point('c', null, null), point('d', 72, 70)])
  expect(found.map((one) => one.name)).toEqual(['b', 'd', 'a', 'c'])
  expect(over(point('a', 66, 70))).toBe(-4)
  expect(over(point('c', null, null))).toBeNull()
})
