import { describe, expect, it } from 'vitest'
import { type Areas, corners, fit, focus, outline, spread } from './geo'

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
    const flat = fit(corners(square), 620, 620, 10)!
    expect(flat.y(22)).toBeCloseTo(10)
    expect(flat.y(21)).toBeCloseTo(610)
    expect((flat.y(21) - flat.y(22)) / (flat.x(106) - flat.x(105))).toBeCloseTo(1 / Math.cos((21.5 * Math.PI) / 180), 2)
    expect(flat.x(105.5)).toBeCloseTo(310)
    expect(outline(square.features[0]!, flat)).toMatch(/^M\d/)
    expect(outline(square.features[1]!, flat)).toBe('')
  })

  it('has no drawing of nothing, and one of a single place', () => {
    expect(fit([], 600, 400, 10)).toBeNull()
    const one = fit([[105.8, 21.6]], 600, 400, 10)!
    expect([one.x(105.8), one.y(21.6)]).toEqual([300, 200])
  })

  it('goes near where all places are', () => {
    const outlines = corners(square)
    const near: [number, number][] = [[105.5, 21.5], [105.52, 21.53]] // prettier-ignore
    expect(focus(outlines, near)).toBe(near)
    expect(focus(outlines, [[105.1, 21.1], [105.9, 21.9]])).toBe(outlines) // prettier-ignore
    expect(focus(outlines, [[105.1, 21.1]])).toBe(outlines)
    expect(focus([], near)).toBe(near)
  })

  it('moves chips apart', () => {
    const found = spread([{ x: 0, y: 0 }, { x: 5, y: 2 }, { x: 100, y: 1 }], 20, 12) // prettier-ignore
    expect(found.map((one) => one.y).sort((a, b) => a - b)).toEqual([0, 1, 12])
    const held = spread([{ x: 0, y: 95 }, { x: 0, y: 97 }, { x: 0, y: 99 }], 20, 12, 100) // prettier-ignore
    expect(held.map((one) => one.y).sort((a, b) => a - b)).toEqual([76, 88, 100])
  })
})
