import { describe, expect, it } from 'vitest'
import { type River, courses, gravest, hoursBetween, nearest, thresholds, tone } from './data'

function river(name: string, flood: number | null, ahead: number | null, rate: number | null, upstream: string | null = null): River {
  return {
    name, label: '', location: null, source: 'built-in',
    configuration: { river: 'sông Cầu', levels: [25, 26, 27], verified: ['I', 'III'], record: 29.9, datum: null, upstream, lag: null, rain_km: 30 },
    now: { time: null, level: null, flood_level: flood, rate, fast: false, to_next: null, forecast_level: ahead, rain: {} },
  }
} // prettier-ignore

describe('the page of rivers', () => {
  it('puts the gravest first: reached, then forecast, then rising', () => {
    const found = gravest([
      river('a', 0, 0, 0.1),
      river('b', 0, 2, 0),
      river('c', 1, 1, 0),
      river('d', null, null, null),
    ])
    expect(found.map((one) => one.name)).toEqual(['c', 'b', 'a', 'd'])
  })

  it('names the alarm levels, and says which nobody confirmed', () => {
    const found = thresholds(river('a', 0, 0, 0), 'BĐ', 'chưa xác nhận')
    expect(found.map((one) => [one.value, one.label])).toEqual([[25, 'BĐ I'], [26, 'BĐ II (chưa xác nhận)'], [27, 'BĐ III']]) // prettier-ignore
    expect([0, 1, 3].map(tone)).toEqual([undefined, 'p3', 'p1'])
  })

  it('finds the station that is nearest its alarm level', () => {
    const at = (name: string, level: number | null, flood = 0) => {
      const one = river(name, flood, 0, 0)
      return { ...one, now: { ...one.now, level } }
    }
    expect(nearest([at('a', 20), at('b', 24.5), at('c', null)])?.name).toBe('b')
    expect(nearest([at('a', 24.9), at('b', 24.5, 1)])?.name).toBe('b')
    expect(nearest([at('c', null)])).toBeUndefined()
  })

  it('draws a river from one station to the next', () => {
    expect(courses([river('up', 0, 0, 0), river('down', 0, 0, 0, 'up')])).toEqual([['up', 'down']])
    expect(hoursBetween('2025-10-07T12:00:00Z', '2025-10-07T20:30:00Z')).toBe(8.5)
  })
})
