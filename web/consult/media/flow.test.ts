import { describe, expect, it } from 'vitest'
import type { Clock } from '../protocol/clock'
import { Flow } from './flow'

class Timers implements Clock {
  at = 1_000_000
  #list: { at: number; then: () => void }[] = []
  now = () => this.at
  random = () => 0.5
  after(ms: number, then: () => void) {
    const one = { at: this.at + ms, then }
    this.#list.push(one)
    return () => {
      this.#list = this.#list.filter((other) => other !== one)
    }
  }
  async pass(ms: number) {
    const end = this.at + ms
    for (;;) {
      const next = this.#list.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#list = this.#list.filter((one) => one !== next)
      this.at = next.at
      next.then()
      for (let i = 0; i < 5; i++) await Promise.resolve()
    }
    this.at = end
  }
}

function made() {
  const clock = new Timers()
  const path = { bytes: 0, flows: true, stops: 0, late: 0 }
  const flow = new Flow(
    clock,
    () => {
      clock.at += path.late
      return Promise.resolve(path.flows ? (path.bytes += 1000) : path.bytes)
    },
    () => (path.stops += 1),
  )
  flow.start()
  return { clock, path, flow }
}

describe('a path', () => {
  it('on which something came all the time and nothing comes is suspected within a second', async () => {
    const { clock, path, flow } = made()
    await clock.pass(3000)
    expect(path.stops).toBe(0)
    path.flows = false
    await clock.pass(1000)
    expect(path.stops).toBe(1)
    expect(flow.suspected).toBe(true)
    await clock.pass(30_000)
    expect(path.stops).toBe(1)
  })

  it('is not blamed for a machine that is too busy to look', async () => {
    const { clock, path } = made()
    await clock.pass(3000)
    path.flows = false
    path.late = 400 // ms that every look takes
    await clock.pass(1500)
    expect(path.stops).toBe(0)
  })

  it('on which little comes anyway is not', async () => {
    const { clock, path } = made()
    for (let i = 0; i < 20; i++) {
      path.flows = i % 4 === 0
      await clock.pass(250)
    }
    path.flows = false
    await clock.pass(5000)
    expect(path.stops).toBe(0)
  })

  it('that only stutters is believed ever longer', async () => {
    const { clock, path, flow } = made()
    for (const quiet of [500, 1000, 2000]) {
      path.flows = true
      await clock.pass(3000)
      expect(flow.suspected).toBe(false)
      const before = path.stops
      path.flows = false
      await clock.pass(quiet - 250)
      expect(path.stops).toBe(before)
      await clock.pass(750)
      expect(path.stops).toBe(before + 1)
    }
  })

  it('that was rightly given up leaves the next one as quick', async () => {
    const { clock, path, flow } = made()
    for (let n = 1; n <= 5; n++) {
      path.flows = true
      await clock.pass(3000)
      path.flows = false
      await clock.pass(750)
      expect(path.stops).toBe(n)
      flow.changed()
    }
    // Not for ever: five in so short a time are not a network that changed.
    path.flows = true
    await clock.pass(3000)
    path.flows = false
    await clock.pass(750)
    expect(path.stops).toBe(5)
  })

  it('is not changed ever again on a link that stutters, and a calm minute makes it quick again', async () => {
    const { clock, path, flow } = made()
    for (let n = 0; n < 20; n++) {
      path.flows = true
      await clock.pass(3000)
      path.flows = false
      await clock.pass(1000)
      path.flows = true
      await clock.pass(300)
      flow.changed() // another path took over, when this one had come back by itself
    }
    expect(path.stops).toBeLessThan(3)
    path.flows = true
    await clock.pass(65_000)
    const before = path.stops
    path.flows = false
    await clock.pass(1000)
    expect(path.stops).toBe(before + 1)
  })

  it('that is a new one begins anew, and after the call nobody looks', async () => {
    const { clock, path, flow } = made()
    await clock.pass(3000)
    flow.changed()
    path.flows = false
    await clock.pass(5000)
    expect(path.stops).toBe(0)
    path.flows = true
    flow.stop()
    const { bytes } = path
    await clock.pass(5000)
    expect(path.bytes).toBe(bytes)
  })
})
