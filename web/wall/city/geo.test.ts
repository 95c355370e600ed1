import { describe, expect, it } from 'vitest'
import { type Areas, corners, fit, outline, spread } from './geo'

const square: Areas = {
  type: 'FeatureCollection',
  features: [
    {
      type: 'Feature',
      properties: { code: '1', name: 'A', schematic: false },
      geometry: { type: 'Polygon', coordinates: [[[105, 21], [106, 21], [106, 22], [105, 22], [105, 21]]] },
    },
    { type: 'Feature', properties: { code: '2', name: 'B', schematic: false }, geometry: null },
  ],
} // prettier-ignore

describe('the small map', () => {
  it('puts the north up and keeps proportions', () => {
    const flat = fit(corners(square), 10)!
    expect(flat.x(105)).toBeCloseTo(10)
    expect(flat.x(106)).toBeCloseTo(590)
    expect(flat.y(22)).toBeCloseTo(10)
    expect(flat.y(21)).toBeGreaterThan(flat.y(22))
    expect((flat.y(21) - flat.y(22)) / (flat.x(106) - flat.x(105))).toBeCloseTo(1 / Math.cos((21.5 * Math.PI) / 180), 2)
    expect(outline(square.features[0]!, flat)).toMatch(/^M10\.0 /)
    expect(outline(square.features[1]!, flat)).toBe('')
  })

  it('has no drawing of nothing, and one of a single place', () => {
    expect(fit([], 10)).toBeNull()
    const one = fit([[105.8, 21.6]], 10)!
    expect(Number.isFinite(one.x(105.8)) && Number.isFinite(one.y(21.6))).toBe(true)
    expect(one.x(105.8)).toBeCloseTo(300)
  })

  it('moves chips apart', () => {
    const found = spread([{ x: 0, y: 0 }, { x: 5, y: 2 }, { x: 100, y: 1 }], 20, 12) // prettier-ignore
    expect(found.map((one) => one.y).sort((a, b) => a - b)).toEqual([0, 1, 12])
  })
})
