import { describe, expect, it } from 'vitest'
import { LONGEST, SHORTEST, USUAL, bounds, formatRange, parseRange, presets, shift, widen, zoom } from './range'

const now = Date.parse('2026-11-22T08:00:00Z')

describe('a time range', () => {
  it.each(presets.map((one) => [one]))('%s is written as it is read', (text) => {
    expect(formatRange(parseRange(text))).toBe(text)
  })

  it('keeps a fixed end', () => {
    const text = '90m@2026-10-08T07:00:00Z'
    expect(parseRange(text)).toEqual({ span: 90 * 60_000, end: Date.parse('2026-10-08T07:00:00Z') })
    expect(formatRange(parseRange(text))).toBe(text)
  })

  it.each(['', '0h', '5', 'h', '99999999h', '1h@never', '-3h', '999999d'])('%s is the usual one', (text) => {
    expect(parseRange(text)).toEqual(USUAL)
  })

  it('ends now or then', () => {
    expect(bounds({ span: 1000, end: null }, now)).toEqual({ from: now - 1000, to: now })
    expect(bounds({ span: 1000, end: 5000 }, now)).toEqual({ from: 4000, to: 5000 })
  })

  it('goes back, and forth until it follows the present again', () => {
    const back = shift({ span: 3_600_000, end: null }, -1, now)
    expect(back).toEqual({ span: 3_600_000, end: now - 1_800_000 })
    expect(shift(back, 1, now)).toEqual({ span: 3_600_000, end: null })
  })

  it('is what was dragged over, either way', () => {
    expect(zoom(now - 9e6, now - 3e6, now)).toEqual({ span: 6e6, end: now - 3e6 })
    expect(zoom(now - 3e6, now - 9e6, now)).toEqual({ span: 6e6, end: now - 3e6 })
    expect(zoom(now - 10, now - 5, now).span).toBe(SHORTEST)
    expect(zoom(now - 9e6, now + 9e6, now)).toEqual({ span: 9e6, end: null })
  })

  it('widens about its middle, and not for ever', () => {
    expect(widen({ span: 100_000, end: now - 1e9 }, now)).toEqual({ span: 200_000, end: now - 1e9 + 50_000 })
    expect(widen({ span: LONGEST, end: null }, now)).toEqual({ span: LONGEST, end: null })
  })
})
