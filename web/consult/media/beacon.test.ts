import { beforeEach, describe, expect, it } from 'vitest'
import type { Beacon } from '../messages'
import { Timers } from '../protocol/timers'
import { answerOf, Seeker } from './beacon'

const BEACON: Beacon = {
  fragment: 'abcd',
  password: 'p'.repeat(32),
  candidates: ['candidate:1 1 udp 9 10.0.0.1 5 typ host'],
}

let clock: Timers
let made: { reached: () => void; closed: boolean }[]
let wanted: boolean
let found: number
let seeker: Seeker

beforeEach(() => {
  clock = new Timers()
  made = []
  wanted = false
  found = 0
  seeker = new Seeker(
    clock,
    () => {
      found += 1
      return !wanted
    },
    (_beacon, _ice, reached) => {
      const one = {
        reached,
        closed: false,
        close() {
          one.closed = true
        },
      }
      made.push(one)
      return one
    },
  )
})

describe('the seeker', () => {
  it('asks until it is answered, then no more', () => {
    seeker.start(BEACON)
    seeker.start(BEACON)
    expect(made).toHaveLength(1)
    made[0]!.reached()
    expect(found).toBe(1)
    expect(made[0]!.closed).toBe(true)
    clock.pass(60_000)
    expect(made).toHaveLength(1)
  })

  it('begins anew before the browser grows tired, one at a time', () => {
    seeker.start(BEACON)
    clock.pass(30_000)
    expect(made.length).toBeGreaterThan(2)
    expect(made.filter((one) => !one.closed)).toHaveLength(1)
  })

  it('says it again to one who was not ready, and ends when it is stopped', () => {
    wanted = true
    seeker.start(BEACON)
    made[0]!.reached()
    clock.pass(300)
    made[1]!.reached()
    expect(found).toBe(2)
    seeker.stop()
    clock.pass(60_000)
    expect(made).toHaveLength(2)
    expect(made.every((one) => one.closed)).toBe(true)
  })
})

it('the answer names the beacon and its addresses', () => {
  const sdp = answerOf(BEACON)
  expect(sdp).toContain('a=ice-ufrag:abcd\r\n')
  expect(sdp).toContain('a=candidate:1 1 udp 9 10.0.0.1 5 typ host\r\n')
  expect(sdp.endsWith('\r\n')).toBe(true)
})
