import { describe, expect, it } from 'vitest'
import { frozenPerHour, level, read, type StationLink, strokes } from './links'

const link: StationLink = {
  facility: 'Trạm y tế Thần Sa',
  records: 720,
  consults: 3,
  bad_share: 0.25,
  rtt_ms: 300,
  jitter_ms: null,
  loss: 0.04,
  kbps_up: 210,
  kbps_down: 400,
  audio_only_share: 0.1,
  frozen_seconds: 30,
  trend: [null, 0.5, 0],
  last: '2026-11-22T08:00:00Z',
}

describe('a station', () => {
  it('is good, watched or bad', () => {
    expect([0, 0.049, 0.05, 0.199, 0.2, 1].map(level)).toEqual(['good', 'good', 'fair', 'fair', 'poor', 'poor'])
  })
  it('froze so long in an hour of calls', () => {
    expect(frozenPerHour(link)).toBe(30)
    expect(frozenPerHour({ ...link, records: 0 })).toBe(0)
  })
})

describe('the trend', () => {
  it('goes from left to right, bad at the top', () => {
    expect(strokes([0, 0.5, 1], 100, 20)).toEqual([
      [
        [0, 20],
        [50, 10],
        [100, 0],
      ],
    ])
  })
  it('has a hole where nobody called, and stays in its frame', () => {
    const found = strokes([null, 0, null, null, 2, 0.5], 50, 10)
    expect(found).toEqual([
      [[10, 10]],
      [
        [40, 0],
        [50, 5],
      ],
    ])
    expect(strokes([], 50, 10)).toEqual([])
    expect(strokes([0.5], 50, 10)).toEqual([[[0, 5]]])
  })
})

describe('reading', () => {
  const answers = (status: number, body: unknown = []) =>
    read('https://x/consult/api', 24, () => Promise.resolve(new Response(JSON.stringify(body), { status })))
  it('says what the server said', async () => {
    expect(await answers(200, [link])).toEqual({ kind: 'links', links: [link] })
    expect(await answers(401)).toEqual({ kind: 'sign-in' })
    expect(await answers(403)).toEqual({ kind: 'refused' })
    expect(await answers(503)).toEqual({ kind: 'failed' })
    expect(await read('https://x', 1, () => Promise.reject(new TypeError('away')))).toEqual({ kind: 'failed' })
  })
})
