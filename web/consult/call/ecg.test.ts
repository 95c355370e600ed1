import { describe, expect, it } from 'vitest'
import { BUFFER, Ecg, Sweep } from './ecg'

const RATE = 250
const piece = (at: number, n = 50, value = 0) => ({
  at,
  rate: RATE,
  samples: Array.from({ length: n }, (_, i) => value + i),
})
const filled = (...ats: number[]) => {
  const ecg = new Ecg()
  for (const at of ats) ecg.push(piece(at), at + 200)
  return ecg
}

describe('what came', () => {
  it('joins pieces that follow each other, in whatever order they came', () => {
    const ecg = filled(400, 0, 200)
    expect(ecg.runs(0, 600).map((run) => [run.at, run.samples.length])).toEqual([[0, 150]])
    expect(ecg.gaps(0, 600)).toEqual([])
  })

  it('a missing piece is a gap and never drawn through', () => {
    const ecg = filled(0, 200, 600)
    expect(ecg.runs(0, 800).map((run) => run.at)).toEqual([0, 600])
    expect(ecg.gaps(0, 800)).toEqual([{ from: 400, to: 600 }])
  })

  it('a stopped signal is a gap that grows', () => {
    const ecg = filled(0)
    expect(ecg.gaps(0, 1500)).toEqual([{ from: 200, to: 1500 }])
    expect(ecg.gaps(0, 3500)).toEqual([{ from: 200, to: 3500 }])
    expect(ecg.gaps(3000, 9000)).toEqual([{ from: 200, to: 9000 }])
  })

  it('before the first sample there is nothing, not a gap', () => {
    expect(new Ecg().gaps(0, 1000)).toEqual([])
    expect(filled(800).gaps(0, 1000)).toEqual([])
  })

  it('cuts to what is asked for', () => {
    const [run] = filled(0, 200).runs(100, 296)
    expect(run).toMatchObject({ at: 100 })
    expect(run!.samples).toHaveLength(50)
  })

  it('a replayed piece changes nothing', () => {
    const ecg = filled(0, 200)
    ecg.push(piece(0, 50, 9999), 500)
    expect(Math.max(...ecg.runs(0, 400).flatMap((run) => run.samples))).toBe(49)
  })

  it('forgets what is long past, and everything on a change of patient', () => {
    const ecg = new Ecg()
    for (let at = 0; at < 60_000; at += 200) ecg.push(piece(at), at + 200)
    expect(ecg.runs(0, 20_000)).toEqual([])
    expect(ecg.runs(40_000, 60_000)[0]!.samples.length).toBeGreaterThan(4900)
    ecg.clear()
    expect(ecg.empty).toBe(true)
    expect(ecg.playhead(0)).toBeNull()
  })
})

describe('the playhead', () => {
  it('runs evenly though pieces come in bursts, and behind them', () => {
    const ecg = new Ecg()
    ecg.push(piece(0), 1200)
    ecg.push(piece(200), 1900) // 500 ms late
    ecg.push(piece(400), 1900)
    const head = ecg.playhead(2000)!
    expect(head).toBeCloseTo(2000 - 1000 - BUFFER, 0)
    expect(ecg.playhead(2100)! - head).toBe(100)
  })
})

describe('the sweep', () => {
  const sweep = new Sweep(800, 4) // 4 px a mm: 100 px a second

  it('is 25 mm a second and 10 mm a millivolt', () => {
    expect(sweep.window).toBe(8000)
    expect(sweep.x(1000) - sweep.x(0)).toBe(25 * 4)
    expect(sweep.height(1000)).toBe(10 * 4)
    expect(sweep.x(8000)).toBe(0)
  })

  it('is cut where it begins again', () => {
    expect(sweep.stretches({ from: 7000, to: 9000 })).toEqual([
      { from: 7000, to: 8000 },
      { from: 8000, to: 9000 },
    ])
    expect(sweep.stretches({ from: 100, to: 200 })).toEqual([{ from: 100, to: 200 }])
  })
})
