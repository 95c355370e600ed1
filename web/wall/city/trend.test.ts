import { describe, expect, it } from 'vitest'
import { area, gaps, moments, nearest, path, reach, scale, signed, ticks } from './trend'

const same = (value: number) => value

describe('a trend', () => {
  it('has round ticks', () => {
    expect(ticks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100])
    expect(ticks(24.63, 29.9, 4)).toEqual([26, 28])
    expect(ticks(-0.3, 0.3, 4)).toEqual([-0.2, 0, 0.2])
    expect(ticks(5, 5, 4)).toEqual([5])
  })

  it('writes moments in +07, and the day at midnight', () => {
    const from = Date.parse('2025-10-07T20:00:00+07:00')
    const found = moments(from, from + 12 * 3_600_000, 4)
    expect(found.map((one) => one.text)).toEqual(['21:00', '08/10', '03:00', '06:00'])
    expect(found[1]!.at).toBe(Date.parse('2025-10-08T00:00:00+07:00'))
    expect(moments(from, from + 400 * 86_400_000, 6).length).toBeLessThanOrEqual(6)
  })

  it('lifts the pen at a gap', () => {
    expect(path([0, 1, 2, 3, 4], [1, 2, null, 3, 4], same, same)).toBe('M0.0 1.0L1.0 2.0M3.0 3.0L4.0 4.0')
    expect(path([0], [null], same, same)).toBe('')
    expect(gaps([0, 1, 2, 3, 4], [1, null, null, 3, null])).toEqual([[0, 3]])
  })

  it('draws a band where both bounds are, in pieces', () => {
    expect(area([0, 1], [1, 1], [2, 2], same, same)).toBe('M0.0 2.0L1.0 2.0L1.0 1.0L0.0 1.0Z')
    expect(area([0, 1, 2], [1, null, 1], [2, 2, 2], same, same)).toBe('')
  })

  it('reaches a little beyond what is drawn', () => {
    expect(reach([10, 20, null], false)).toEqual([9.2, 20.8])
    expect(reach([10, 20], true)[0]).toBe(0)
    expect(reach([], false)).toEqual([0, 1])
    const [low, high] = reach([25, 25.01], false, 1)
    expect(high - low).toBeGreaterThan(1) // a still river is not drawn as a storm
  })

  it('knows places and neighbours', () => {
    expect(scale(0, 10, 100, 50)(5)).toBe(125)
    expect(nearest([0, 10, 20], 14)).toBe(1)
    expect(nearest([0, 10, 20], 99)).toBe(2)
    expect(nearest([], 1)).toBe(-1)
    expect([signed(3, 'vi'), signed(-0.5, 'vi'), signed(0, 'vi')]).toEqual(['+3', '−0,5', '0'])
  })
})
