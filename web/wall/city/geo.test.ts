import { describe, expect, it } from 'vitest'
import { type Areas, corners, fit, focus, outline, settle } from './geo'

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

  it('writes the first chips, moves what is beside them a step, and leaves dots where there is no room', () => {
    const box = { width: 200, height: 100 }
    const at = (x: number, y: number) => ({ x, y })
    const [first, second, far] = settle([at(50, 50), at(52, 51), at(150, 50)], 20, 12, box)
    expect(first).toMatchObject({ middle: [50, 50], written: true })
    expect(second).toMatchObject({ x: 52, y: 51, middle: [52, 63], written: true })
    expect(far).toMatchObject({ middle: [150, 50], written: true })
    const crowd = settle(Array.from({ length: 12 }, () => at(100, 50)), 20, 12, box) // prettier-ignore
    expect(crowd.map((one) => one.written)).toEqual([...Array(9).fill(true), false, false, false])
    expect(crowd.slice(9).every((one) => one.middle[0] === 100 && one.middle[1] === 50)).toBe(true)
  })

  it('of many writes those alone that have room at their places, of very many a few', () => {
    const box = { width: 2000, height: 2000 }
    const [first, second] = settle(Array.from({ length: 20 }, (_, i) => ({ x: 50 + 5 * i, y: 50 })), 20, 12, box) // prettier-ignore
    expect([first!.written, second!.written]).toEqual([true, false])
    const crowd = settle(Array.from({ length: 61 }, (_, i) => ({ x: 20 + 30 * i, y: 50 })), 20, 12, box) // prettier-ignore
    expect(crowd.filter((one) => one.written)).toHaveLength(6)
  })

  it('writes nothing over the edge', () => {
    const [corner] = settle([{ x: 2, y: 2 }], 20, 12, { width: 200, height: 100 })
    expect(corner!.written).toBe(true)
    expect(corner!.middle[0]).toBeGreaterThanOrEqual(10)
    expect(corner!.middle[1]).toBeGreaterThanOrEqual(6)
    expect(settle([{ x: 5, y: 5 }], 20, 12, { width: 12, height: 12 })[0]!.written).toBe(false)
  })
})
