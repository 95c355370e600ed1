import { expect, it } from 'vitest'
import { circle, cornersOf, joined, read, ringOf, spots, written } from './fence'

const square = { type: 'Polygon', coordinates: [[[105, 21], [106, 21], [106, 22], [105, 21]]] } // prettier-ignore

it('corners are written as people write them, and read again', () => {
  const text = cornersOf(square)!
  expect(text).toBe('21, 105\n21, 106\n22, 106')
  expect(ringOf(text)).toEqual(square)
  expect(read('21,5; 105\n21.5 105.8\nđây\n91, 0\n')).toEqual([[5, 21], [105.8, 21.5]]) // prettier-ignore
  expect(written([[105.8, 21.5]])).toBe('21.5, 105.8')
})

it('what is no corner is not lost: the server says so', () => {
  expect(ringOf('21, 105\nđây')).toEqual({ type: 'Polygon', coordinates: [[[105, 21], 'đây', [105, 21]]] })
  expect(ringOf('')).toEqual({ type: 'Polygon', coordinates: [[]] })
})

it('a polygon with holes or several parts is not for this form', () => {
  const ring = square.coordinates[0]
  for (const odd of [
    { ...square, coordinates: [ring, ring] },
    { type: 'MultiPolygon', coordinates: [[ring]] },
    null,
    3,
  ])
    expect(cornersOf(odd)).toBeNull()
  expect(cornersOf({ type: 'Polygon', coordinates: [[[105, 21], [106, 21]]] })).toBeNull() // prettier-ignore
})

it('a circle is round on the ground', () => {
  const corners = circle([105.84, 21.59], 500)
  expect(corners).toHaveLength(24)
  const far = corners.map(([x, y]) => Math.hypot((x - 105.84) * Math.cos((21.59 * Math.PI) / 180), y - 21.59) * 111_195)
  for (const one of far) expect(one).toBeCloseTo(500, -1)
})

it('a place is a longitude and a latitude of one moment', () => {
  const longitude = { times: [1, 2, 3], values: [105, 106, null] }
  const latitude = { times: [1, 3], values: [21, 22] }
  expect(joined(longitude, latitude)).toEqual([{ at: 1000, place: [105, 21] }])
  const point = { type: 'Point', coordinates: [105, 21, 30] }
  expect(spots([{ time: '1970-01-01T00:00:01Z', value: point }, { time: '1970-01-01T00:00:02Z', value: 3 }])).toEqual([{ at: 1000, place: [105, 21] }]) // prettier-ignore
})
