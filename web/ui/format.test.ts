import { describe, expect, it } from 'vitest'
import { age, ago, date, duration, number, rate, stopwatch, time, timeSeconds } from './format'

// 2026-10-08 14:32:09 in +07, whatever the machine's zone is.
const AT = Date.UTC(2026, 9, 8, 7, 32, 9)

describe('numbers', () => {
  it.each([
    [25.42, 2, '25,42', '25.42'],
    [1846, 0, '1.846', '1,846'],
    [-0.5, 1, '−0,5', '−0.5'],
    [0, 0, '0', '0'],
  ] as const)('%d with %d decimals', (value, digits, vi, en) => {
    expect(number(value, digits, 'vi')).toBe(vi)
    expect(number(value, digits, 'en')).toBe(en)
  })

  it.each([null, undefined, Number.NaN, Infinity])('%s is no number and never 0', (value) => {
    expect(number(value, 1, 'vi')).toBe('–')
  })
})

it('says how long ago, and the date after a day', () => {
  expect(ago(AT, AT + 8_000, 'vi')).toBe('8 s trước')
  expect(ago(AT, AT + 360_000, 'en')).toBe('6 min ago')
  expect(ago(AT, AT + 90_000_000, 'vi')).toBe('08/10/2026')
})

describe('times', () => {
  it('are shown in +07', () => {
    expect(time(AT)).toBe('14:32')
    expect(timeSeconds(AT)).toBe('14:32:09')
    expect(date(AT, 'vi')).toBe('08/10/2026')
    expect(date(AT, 'en')).toBe('8 Oct 2026')
    expect(date(Date.UTC(2026, 9, 8, 17, 0), 'vi')).toBe('09/10/2026')
    expect(time(Date.UTC(2026, 9, 8, 17, 0))).toBe('00:00')
  })

  it.each([
    [0, '0 s', '0 s'],
    [59_999, '59 s', '59 s'],
    [60_000, '1 phút', '1 min'],
    [3 * 3_600_000, '3 giờ', '3 h'],
    [86_400_000, '08/10/2026', '8 Oct 2026'],
    [-5000, '0 s', '0 s'],
  ])('an age of %d ms', (ms, vi, en) => {
    expect(age(AT, AT + ms, 'vi')).toBe(vi)
    expect(age(AT, AT + ms, 'en')).toBe(en)
  })

  it('lengths', () => {
    expect(duration(134_000, 'vi')).toBe('2 phút 14 giây')
    expect(duration(9_400, 'en')).toBe('9 s')
    expect(duration(3_900_000, 'vi')).toBe('1 giờ 5 phút')
    expect(stopwatch(545_000)).toBe('09:05')
    expect(stopwatch(3_729_000)).toBe('1:02:09')
  })

  it('rates', () => {
    expect(rate(84_000, 'vi')).toBe('84 kb/s')
    expect(rate(1_240_000, 'vi')).toBe('1,2 Mb/s')
    expect(rate(999_600, 'en')).toBe('1.0 Mb/s')
    expect(rate(undefined, 'en')).toBe('–')
  })
})
