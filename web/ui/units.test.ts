import { describe, expect, it } from 'vitest'
import { bytes, count, marked, measured, respelled, titled, unit } from './units'

describe('a measured value', () => {
  it.each([
    [25.42, '25,42', '25.42'],
    [0.05, '0,05', '0.05'],
    [1846.4, '1.846', '1,846'],
    [128, '128', '128'],
    [-3.456, '−3,46', '−3.46'],
    [0, '0', '0'],
    [1.5e12, '1,5 × 10¹²', '1.5 × 10¹²'],
    [-2e-7, '−2 × 10⁻⁷', '−2 × 10⁻⁷'],
    [NaN, '–', '–'],
    [null, '–', '–'],
    [undefined, '–', '–'],
  ])('%s', (value, vi, en) => {
    expect(measured(value, 'vi')).toBe(vi)
    expect(measured(value, 'en')).toBe(en)
  })
})

it('counts and sizes', () => {
  expect(count(1846, 'vi')).toBe('1.846')
  expect(bytes(999, 'en')).toBe('999 B')
  expect(bytes(16_802_319, 'vi')).toBe('17 MB')
  expect(bytes(1_500_000_000, 'vi')).toBe('1,5 GB')
})

it('units as people know them', () => {
  expect(unit('ug/m3', 'vi')).toBe('µg/m³')
  expect(unit('{veh}', 'vi')).toBe('xe')
  expect(unit('{veh}', 'en')).toBe('veh')
  expect(unit('kg/hm2', 'en')).toBe('kg/hm2')
  expect(unit('1', 'en')).toBe('')
})

describe('labels of an axis', () => {
  it.each([
    [[25.4201, 25.4202, 25.4203], '25.4201 25.4202 25.4203'],
    [[1846, 1846.5, 1847], '1,846 1,846.5 1,847'],
    [[100, 100.025, 100.05], '100 100.025 100.05'],
    [[0, 0.25, 0.5], '0 0.25 0.5'],
    [[-20, 0, 20], '−20 0 20'],
    [[0, 500, 1000], '0 500 1,000'],
    [[0.1 + 0.2, 0.4, 0.5], '0.3 0.4 0.5'],
    [[0, 2e10, 4e10], '0 2 × 10¹⁰ 4 × 10¹⁰'],
    [[7], '7'],
    [[], ''],
  ])('%j', (values, said) => {
    expect(marked(values, 'en').join(' ')).toBe(said)
  })
})

it('what is measured stands with its unit where it has one', () => {
  expect(titled('Bụi PM2.5', 'ug/m3', 'vi')).toBe('Bụi PM2.5, µg/m³')
  expect(titled('VN_AQI', '1', 'vi')).toBe('VN_AQI')
})

it('texts of before have their units as people write them', () => {
  expect(respelled('Ồn quá (71,2 dB[SPL])', 'vi')).toBe('Ồn quá (71,2 dB)')
  expect(respelled('Fine dust (−3.5 ug/m3) (2 x)', 'en')).toBe('Fine dust (−3.5 µg/m³) (2 x)')
  expect(respelled('VN_AQI trên 100 (120 1)', 'vi')).toBe('VN_AQI trên 100 (120)')
  expect(respelled('Báo động III (67,03 m)', 'vi')).toBe('Báo động III (67,03 m)')
})
