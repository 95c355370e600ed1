import { expect, it } from 'vitest'
import { about, moment, slide } from './move'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-22T08:00:00Z')

it('zooms about the moment under the pointer', () => {
  const nearer = about({ span: 4 * HOUR, end: NOW - HOUR }, NOW - 2 * HOUR, 0.5, NOW)
  expect(nearer).toEqual({ span: 2 * HOUR, end: NOW - 1.5 * HOUR })
  // At the right edge of what follows the present it goes on following.
  expect(about({ span: 4 * HOUR, end: null }, NOW, 0.5, NOW)).toEqual({ span: 2 * HOUR, end: null })
  expect(about({ span: 60_000, end: NOW - HOUR }, NOW - HOUR, 0.1, NOW).span).toBe(60_000)
})

it('slides, and back to the present', () => {
  expect(slide({ span: HOUR, end: null }, -HOUR, NOW)).toEqual({ span: HOUR, end: NOW - HOUR })
  expect(slide({ span: HOUR, end: NOW - HOUR }, 2 * HOUR, NOW)).toEqual({ span: HOUR, end: null })
})

it('the moment at a place', () => {
  expect([moment(50, 100, 0, 1000), moment(-5, 100, 0, 1000), moment(500, 100, 0, 1000), moment(1, 0, 5, 10)]).toEqual([
    500, 0, 1000, 5,
  ])
})
