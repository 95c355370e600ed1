import { describe, expect, it } from 'vitest'
import type { Flow, Person, Role, VitalsMessage } from '../messages'
import { blank, main, nextStep, type Situation, tiles } from './arrange'
import { between, type Totals, totals } from './stats'
import { Vitals } from './vitals'

const person = (seat: string, role: Role, more: Partial<Person> = {}): Person => ({
  seat,
  role,
  name: seat,
  facility: '',
  presence: 'present',
  media: { microphone: true, camera: true },
  since: 1,
  ...more,
})

describe('who is shown where', () => {
  const people = [
    person('s1', 'station'),
    person('d1', 'doctor'),
    person('i1', 'interpreter'),
    person('w', 'station', { presence: 'waiting' }),
  ]

  it('neither oneself nor the waiting room', () => {
    expect(tiles(people, 's1').map((tile) => tile.key)).toEqual(['d1', 'i1'])
  })

  it('the other side is large', () => {
    expect(main(tiles(people, 's1'), 'station', 'd1', null)?.key).toBe('d1')
    expect(main(tiles(people, 'd1'), 'doctor', 'd1', null)?.key).toBe('s1')
  })

  it('a shared screen goes first, a choice before it', () => {
    const sharing = people.map((p) => (p.seat === 'i1' ? { ...p, media: { ...p.media, screen: true } } : p))
    expect(main(tiles(sharing, 's1'), 'station', 'd1', null)?.key).toBe('i1/screen')
    expect(main(tiles(sharing, 's1'), 'station', 'd1', 'd1')?.key).toBe('d1')
    expect(main(tiles(sharing, 's1'), 'station', 'd1', 'gone')?.key).toBe('i1/screen')
  })

  it('the leading doctor before another, one who is here before one who is away', () => {
    const two = [person('d1', 'doctor'), person('d2', 'doctor')]
    expect(main(tiles(two, 'x'), 'station', 'd2', null)?.key).toBe('d2')
    const away = [person('d1', 'doctor', { presence: 'away' }), person('i1', 'interpreter')]
    expect(main(tiles(away, 'x'), 'station', 'd1', null)?.key).toBe('i1')
  })

  it('nobody is shown when nobody is there', () => {
    expect(main([], 'station', null, null)).toBeNull()
  })

  it('says why a picture is missing, the plainest reason first', () => {
    const [tile] = tiles([person('d1', 'doctor')], 's1')
    const flow = (reason: string): Flow => ({ type: 'flow', seat: 'd1', use: 'camera', state: 'paused', reason })
    expect(blank(tile!, undefined, true, false)).toBeNull()
    expect(blank(tile!, undefined, false, false)).toBe('coming')
    expect(blank(tile!, flow('link'), true, false)).toBe('link')
    expect(blank(tile!, flow('link'), true, true)).toBe('asked')
    expect(blank(tile!, flow('asked'), true, false)).toBe('coming')
    expect(blank(tile!, flow('link'), true, true, true)).toBe('cut')
    expect(blank(tile!, undefined, false, false, true)).toBe('coming')
    expect(blank({ ...tile!, person: person('d1', 'doctor', { presence: 'away' }) }, flow('link'), true, true)).toBe(
      'away',
    )
    expect(blank({ ...tile!, person: person('d1', 'doctor', { media: {} }) }, undefined, true, false)).toBe(
      'camera-off',
    )
  })
})

describe('the one next step', () => {
  const at = (more: Partial<Situation>): Situation => ({
    role: 'station',
    me: 's1',
    lead: 'd1',
    people: [person('s1', 'station'), person('d1', 'doctor')],
    microphone: true,
    camera: true,
    audioOnly: false,
    vitals: true,
    ...more,
  })
  it.each([
    [{ people: [person('s1', 'station')] }, 'wait-doctor'],
    [{ people: [person('d1', 'doctor', { presence: 'away' })] }, 'doctor-away'],
    [{ microphone: false, camera: false }, 'microphone'],
    [{ camera: false }, 'camera'],
    [{ camera: false, audioOnly: true, vitals: false }, 'measure'],
    [{ vitals: false }, 'measure'],
    [{}, 'talk'],
    [
      { role: 'doctor', me: 'd1', people: [person('d1', 'doctor'), person('s1', 'station', { presence: 'waiting' })] },
      'admit',
    ],
    [{ role: 'doctor', me: 'd1', people: [person('d1', 'doctor')] }, 'wait-station'],
    [{ role: 'doctor', me: 'd1', microphone: false }, 'microphone'],
    [{ role: 'observer', me: 'o1', microphone: false }, 'talk'],
  ] as [Partial<Situation>, string][])('%#: %s', (more, step) => {
    expect(nextStep(at(more))).toBe(step)
  })
})

describe('vital signs', () => {
  const numbers = (
    values: Record<string, number>,
    more: { subject?: string; seat?: string; at?: number; skewed?: boolean } = {},
  ): VitalsMessage => ({
    type: 'vitals',
    seat: more.seat ?? 's1',
    received: 9_000_000,
    skewed: more.skewed ?? false,
    frame: {
      type: 'numbers',
      subject: more.subject ?? 'P1',
      device: 'Nonin 3230',
      n: 1,
      at: more.at ?? 5_000_000,
      values,
    },
  })

  it('keeps the newest of each, with device and time', () => {
    const vitals = new Vitals()
    vitals.take(numbers({ heart_rate: 104, oxygen_saturation: 93 }), 0)
    vitals.take(numbers({ heart_rate: 99 }, { at: 4_000_000 }), 0)
    vitals.take(numbers({ oxygen_saturation: 92 }, { at: 6_000_000 }), 0)
    expect(vitals.readings.get('heart_rate')).toEqual({ value: 104, at: 5000, device: 'Nonin 3230', skewed: false })
    expect(vitals.readings.get('oxygen_saturation')?.value).toBe(92)
  })

  it('blanks everything on a change of patient', () => {
    const vitals = new Vitals()
    vitals.take(numbers({ heart_rate: 104, systolic: 148 }), 0)
    expect(vitals.take(numbers({ heart_rate: 70 }, { subject: 'P2' }), 0)).toBe('blanked')
    expect([...vitals.readings.keys()]).toEqual(['heart_rate'])
    const wave: VitalsMessage = {
      type: 'vitals',
      seat: 's1',
      received: 0,
      frame: { type: 'wave', subject: 'P3', device: 'e', n: 1, at: 0, lead: 'II', rate: 250, samples: [1] },
    }
    expect(vitals.take(wave, 0)).toBe('blanked')
    expect(vitals.readings.size).toBe(0)
  })

  it('a second station cannot mix its patient in', () => {
    const vitals = new Vitals()
    vitals.take(numbers({ heart_rate: 104 }), 1000)
    expect(vitals.take(numbers({ heart_rate: 60 }, { seat: 's9', subject: 'P9' }), 2000)).toBe('ignored')
    expect(vitals.readings.get('heart_rate')?.value).toBe(104)
    expect(vitals.take(numbers({ heart_rate: 60 }, { seat: 's9', subject: 'P9' }), 60_000)).toBe('blanked')
  })

  it('trusts the server where the device clock is off, and no nonsense', () => {
    const vitals = new Vitals()
    vitals.take(numbers({ heart_rate: 104, temperature: Number.NaN, unknown: 3 }, { skewed: true }), 0)
    expect(vitals.readings.get('heart_rate')).toMatchObject({ at: 9000, skewed: true })
    expect(vitals.readings.size).toBe(1)
  })
})

describe('getStats', () => {
  const report = (packets: number, lost: number, bytes: number) => [
    { id: 'T', type: 'transport', selectedCandidatePairId: 'P' },
    {
      id: 'P',
      type: 'candidate-pair',
      bytesReceived: bytes,
      bytesSent: bytes * 2,
      currentRoundTripTime: 0.084,
      localCandidateId: 'L',
    },
    { id: 'L', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
    {
      id: 'V',
      type: 'inbound-rtp',
      kind: 'video',
      packetsReceived: packets,
      packetsLost: lost,
      jitter: 0.01,
      frameHeight: 480,
      framesPerSecond: 29,
      freezeCount: 2,
      totalFreezesDuration: 1.5,
      framesDecoded: 10,
    },
    { id: 'A', type: 'inbound-rtp', kind: 'audio', packetsReceived: packets, packetsLost: 0, jitter: 0.02 },
  ]

  it('is what changed in between', () => {
    const stats = between(7, totals(report(100, 0, 1000), 0), totals(report(190, 10, 251_000), 5000))
    expect(stats).toMatchObject({
      pc: 7,
      kbps_in: 400,
      kbps_out: 800,
      jitter_ms: 20,
      height_in: 480,
      freezes: 0,
      path: 'host/udp',
    })
    expect(stats.rtt_ms).toBeCloseTo(84)
    expect(stats.loss_in).toBeCloseTo(10 / 190)
  })

  it('counters that begin anew give no negative', () => {
    const a: Totals = totals(report(1000, 50, 9_000_000), 0)
    const stats = between(7, a, totals(report(1, 0, 10), 5000))
    expect(stats.kbps_in).toBe(0)
    expect(stats.loss_in).toBeUndefined()
  })

  it('an empty report is no error', () => {
    expect(between(1, totals([], 0), totals([], 5000))).toMatchObject({ kbps_in: 0, path: '' })
  })
})
