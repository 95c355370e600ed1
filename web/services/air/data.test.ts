import { describe, expect, it } from 'vitest'
import { type Index, months, pollutant, worstFirst } from './data'

const index = (value: number | null): Index => ({ value, time: null, band: null, worst: null, sub: {} })

describe('the air page', () => {
  it('puts the worst first and those without an index last', () => {
    const found = worstFirst([
      { name: 'a', label: 'Đồng Hỷ', index: index(null) },
      { name: 'b', label: 'Phổ Yên', index: index(62) },
      { name: 'c', label: 'Quang Sơn', index: index(151) },
      { name: 'd', label: 'Ba Bể', index: index(null) },
    ])
    expect(found.map((one) => one.label)).toEqual(['Quang Sơn', 'Phổ Yên', 'Ba Bể', 'Đồng Hỷ'])
  })

  it('lays a year out from Monday to Sunday', () => {
    const day = { day: '2026-10-08', value: 62, band: 'moderate', worst: 'pm2_5' }
    const year = months(2026, [day])
    expect(year).toHaveLength(12)
    const october = year[9]!
    expect(october.weeks[0]!.slice(0, 4)).toEqual([null, null, null, expect.objectContaining({ day: '2026-10-01' })])
    expect(october.weeks[1]![3]).toEqual(day)
    expect(year.flatMap((one) => one.weeks.flat()).filter(Boolean)).toHaveLength(365)
    expect(
      months(2028, [])
        .flatMap((one) => one.weeks.flat())
        .filter(Boolean),
    ).toHaveLength(366)
  })

  it('writes pollutants as people do', () => {
    expect(pollutant('pm2_5')).toBe('PM2.5')
    expect(pollutant('unknown')).toBe('unknown')
  })
})
