import { describe, expect, it } from 'vitest'
import { type LinkResult, rate, verdict } from './link'

const link = (more: Partial<LinkResult>): LinkResult => ({ down: 5e6, up: 5e6, loss: 0, rtt: 40, ...more })

describe('what a link is good for', () => {
  it.each([
    [{}, 'good'],
    [{ up: 800_000 }, 'fair'],
    [{ loss: 0.05 }, 'fair'],
    [{ rtt: 650 }, 'fair'],
    [{ down: 200_000 }, 'audio'],
    [{ loss: 0.15 }, 'audio'],
    [{ up: 30_000 }, 'bad'],
    [{ loss: 0.5 }, 'bad'],
    [{ down: null, up: null }, 'unknown'],
    [{ down: null, loss: null, rtt: null }, 'good'],
  ] as const)('%o is %s', (more, expected) => {
    expect(verdict(link(more))).toBe(expected)
  })
})

describe('the rate', () => {
  it('grows the transfer until it lasts long enough', async () => {
    let now = 0
    const sizes: number[] = []
    const found = await rate(
      async (bytes) => {
        sizes.push(bytes)
        now += 50 + (bytes * 8) / 2000 // 2 Mb/s and 50 ms to begin
      },
      () => now,
    )
    expect(sizes.length).toBeLessThan(5)
    expect(found! / 2e6).toBeCloseTo(1, 0)
  })

  it('keeps what it had when a later one fails, and is nothing when all do', async () => {
    let calls = 0
    let now = 0
    const found = await rate(
      async () => {
        now += 100
        if (++calls > 1) throw new Error('cut')
      },
      () => now,
    )
    expect(found).toBe(1_600_000)
    expect(
      await rate(
        () => Promise.reject(new Error('cut')),
        () => 0,
      ),
    ).toBeNull()
  })
})
