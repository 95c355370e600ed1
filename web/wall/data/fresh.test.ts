import { expect, it } from 'vitest'
import { type Rhythm, freshFor, health, heard, newness } from './fresh'

const now = Date.parse('2026-11-23T07:08:00Z')
const known = new Map<string, Rhythm>([
  ['pm2_5', { fresh_for: 900, computed: false }],
  ['vn_aqi', { fresh_for: 9000, computed: true }], // an hour, named by its beginning
  ['lden', { fresh_for: 176_400, computed: true }], // a day
  ['vn_aqi_forecast', { fresh_for: -77_400, computed: true }], // 23 hours ahead
])
const value = (property: string, minutes: number) => {
  const at = now - minutes * 60_000
  return { property, at, time: new Date(at).toISOString() }
}

it('a property that nobody described has 15 minutes', () => {
  expect(freshFor(known, 'lden')).toBe(176_400_000)
  expect(freshFor(known, 'whatever')).toBe(900_000)
  expect(freshFor(new Map(), 'lden')).toBe(900_000)
})

it('an hourly index is new until the next hour is late, a daily one until the next day is', () => {
  const by = (property: string, minutes: number) => health([value(property, minutes)], now, known)
  expect([by('vn_aqi', 68), by('vn_aqi', 150), by('vn_aqi', 151)]).toEqual(['live', 'live', 'late'])
  expect([by('lden', 38 * 60), by('lden', 50 * 60)]).toEqual(['live', 'late'])
  expect([by('vn_aqi_forecast', -22 * 60 - 51), by('vn_aqi_forecast', -20 * 60)]).toEqual(['live', 'late'])
})

it('a device is as live as what it measures; only what measures nothing, as what is computed of it', () => {
  expect(health(undefined, now, known)).toBe('never')
  expect(health([], now, known)).toBe('never')
  expect(health([value('pm2_5', 60), value('co', 3)], now, known)).toBe('live')
  expect(health([value('pm2_5', 60), value('vn_aqi', 68), value('vn_aqi_forecast', -1371)], now, known)).toBe('late')
  expect(health([value('vn_aqi', 68), value('lden', 6000)], now, known)).toBe('live')
})

it('the newest of several, and until when one of them is new', () => {
  const [fast, slow] = [value('pm2_5', 5), value('vn_aqi', 68)]
  expect(newness([], known)).toBe(null)
  expect(newness([fast, slow], known)).toEqual({ at: fast.at, until: slow.at + 9_000_000 })
  expect(heard([fast, slow], known)).toEqual({ at: fast.at, until: fast.at + 900_000 })
  expect(heard([{ property: 'x', time: fast.time }], known)).toEqual({ at: fast.at, until: fast.at + 900_000 })
})
