import { describe, expect, it } from 'vitest'
import { drift, enlarged, formatScenes, parseScenes } from './kiosk'
import { parse } from './route'

describe('scenes of a wall', () => {
  it('are read from the address and written to it', () => {
    const text = 'overview:30,boards/hom-nay:60,alarms:20'
    expect(parseScenes(text)).toEqual([
      { page: 'overview', item: null, seconds: 30 },
      { page: 'boards', item: 'hom-nay', seconds: 60 },
      { page: 'alarms', item: null, seconds: 20 },
    ])
    expect(formatScenes(parseScenes(text))).toBe(text)
  })

  it('that are none are left out; times have bounds', () => {
    expect(parseScenes('nowhere:30,,overview,alarms:1,charts:99999,:5')).toEqual([
      { page: 'overview', item: null, seconds: 30 },
      { page: 'alarms', item: null, seconds: 5 },
      { page: 'charts', item: null, seconds: 3600 },
    ])
    expect(parseScenes('')).toEqual([])
  })

  it('begin with a bare &kiosk too', () => {
    expect(parse('#/overview?range=24h&kiosk').options).toEqual({ range: '24h', kiosk: '1' })
    expect(parse('#/overview?kiosk=1').options).toEqual({ kiosk: '1' })
  })
})

it('everything wanders a few px, back to where it began', () => {
  const walk = Array.from({ length: 9 }, (_, minute) => drift(minute))
  expect(new Set(walk.map(({ x, y }) => `${x},${y}`)).size).toBe(9)
  expect(walk.every(({ x, y }) => Math.abs(x) <= 4 && Math.abs(y) <= 4)).toBe(true)
  expect(drift(9)).toEqual(drift(0))
})

it('a wider screen shows the same, larger', () => {
  expect([1440, 1920, 3840].map(enlarged)).toEqual([1, 1, 2])
})
