import { describe, expect, it } from 'vitest'
import { type Detector, busiest, clock, fastest, mean, speed, tone, worst } from './data'

const detector = (name: string, service: string | null, congestion: number | null, incident = false): Detector => ({
  name, label: '', location: null, time: null, flow: null, density: null, service, edition: null, congestion, incident,
}) // prettier-ignore

describe('the page of traffic', () => {
  it('puts incidents first, then the worst service', () => {
    const found = busiest([detector('a', 'B', 5), detector('b', 'F', 70), detector('c', 'A', 0, true), detector('d', null, null)]) // prettier-ignore
    expect(found.map((one) => one.name)).toEqual(['c', 'b', 'a', 'd'])
    expect(worst(['A', null, 'E', 'C'])).toBe('E')
    expect(worst([null])).toBeNull()
    expect(['A', 'C', 'D', 'F', null].map(tone)).toEqual([undefined, undefined, 'p3', 'p1', undefined])
  })

  it('writes travel times and speeds', () => {
    expect([clock(312), clock(59.6), clock(null)]).toEqual(['5:12', '1:00', '–'])
    expect(speed(2.6, 312)).toBeCloseTo(30)
    expect(speed(2.6, null)).toBeNull()
    expect(mean([10, null, 20])).toBe(15)
    expect(mean([null])).toBeNull()
    expect(fastest([[12, null], [43, 8]])).toBe(50) // prettier-ignore
    expect(fastest([])).toBe(30)
  })
})
