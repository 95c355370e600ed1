import { beforeEach, describe, expect, it } from 'vitest'
import { Timers } from '../protocol/timers'
import { AGAIN, Asking, UNANSWERED } from './asking'
import type { Got } from './devices'

let clock: Timers
let asked: ((got: Got) => void)[]
let took: Got[]
let allowed: boolean
let asking: Asking

const ask = () => new Promise<Got>((answer) => asked.push(answer))
const track = () => {
  const made = { stopped: false, stop: () => (made.stopped = true) }
  return made
}
const got = (made = track()): Got => ({ track: made as unknown as MediaStreamTrack })
const settle = async () => {
  for (let i = 0; i < 5; i += 1) await Promise.resolve()
}
async function pass(ms: number) {
  clock.pass(ms)
  await settle()
}
async function answer(n: number, what: Got) {
  asked[n]!(what)
  await settle()
}

beforeEach(() => {
  clock = new Timers()
  asked = []
  took = []
  allowed = true
  asking = new Asking(
    clock,
    (what) => took.push(what),
    () => Promise.resolve(allowed),
  )
})

describe('asking for a device', () => {
  it('once, when it comes', async () => {
    const done = asking.begin(ask)
    await answer(0, got())
    await done
    await pass(100_000)
    expect(took).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })

  it('again by itself when it would not open, and not for ever', async () => {
    await Promise.all([asking.begin(ask), answer(0, { trouble: 'busy' })])
    for (const [i, ms] of AGAIN.entries()) {
      await pass(ms - 1)
      expect(asked).toHaveLength(i + 1)
      await pass(1)
      await answer(i + 1, { trouble: 'failed' })
    }
    await pass(100_000)
    expect(asked).toHaveLength(AGAIN.length + 1)
  })

  it.each(['denied', 'none', 'insecure'] as const)('not again when it is %s', async (trouble) => {
    await Promise.all([asking.begin(ask), answer(0, { trouble })])
    await pass(100_000)
    expect(asked).toHaveLength(1)
  })

  it('anew when nobody answers though it is allowed; the first answer counts, a second is given back', async () => {
    const done = asking.begin(ask)
    await pass(UNANSWERED)
    expect(asked).toHaveLength(2)
    await answer(1, got())
    await done
    const late = track()
    await answer(0, got(late))
    expect(took).toHaveLength(1)
    expect(late.stopped).toBe(true)
    await pass(100_000)
    expect(asked).toHaveLength(2)
  })

  it('never twice while a person is asked', async () => {
    allowed = false
    void asking.begin(ask)
    await pass(100_000)
    expect(asked).toHaveLength(1)
  })

  it('is given back when it is wanted no more', async () => {
    const done = asking.begin(ask)
    asking.end()
    await done
    const late = track()
    await answer(0, got(late))
    expect(late.stopped).toBe(true)
    expect(took).toHaveLength(0)
    asking.lost()
    asking.plugged()
    await pass(100_000)
    expect(asked).toHaveLength(1)
  })

  it('again when it was lost, and when something is plugged in', async () => {
    await Promise.all([asking.begin(ask), answer(0, got())])
    asking.lost()
    await pass(AGAIN[0])
    await answer(1, { trouble: 'none' })
    await pass(100_000)
    expect(asked).toHaveLength(2)
    asking.plugged()
    await answer(2, got())
    expect(took.map((one) => one.trouble)).toEqual([undefined, 'none', undefined])
  })
})
