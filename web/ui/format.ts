/** Numbers, times and ages as they are written here: 25,42 m · 1.846 · 08/10/2026 14:32, always +07. Pure. */
import type { Language } from './dictionary'

export const ZONE = 'Asia/Ho_Chi_Minh'
const locale = { vi: 'vi-VN', en: 'en-GB' } as const

const numbers = new Map<string, Intl.NumberFormat>()

/** `value` with exactly `digits` decimals; "–" for what is no number (never 0). */
export function number(value: number | null | undefined, digits: number, language: Language): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const key = `${language}${digits}`
  let format = numbers.get(key)
  if (!format) {
    format = new Intl.NumberFormat(locale[language], { minimumFractionDigits: digits, maximumFractionDigits: digits })
    numbers.set(key, format)
  }
  // A true minus sign keeps its width beside the fixed digits.
  return format.format(value).replace('-', '−')
}

const clock = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const clockSeconds = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const dateVi = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, day: '2-digit', month: '2-digit', year: 'numeric' })
const dateEn = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, day: 'numeric', month: 'short', year: 'numeric' })

/** `ms` since 1970 as 14:32 in +07. */
export function time(ms: number): string {
  return clock.format(ms)
}

/** `ms` since 1970 as 14:32:09 in +07. */
export function timeSeconds(ms: number): string {
  return clockSeconds.format(ms)
}

/** `ms` since 1970 as 08/10/2026 (English: 8 Oct 2026) in +07. */
export function date(ms: number, language: Language): string {
  return language === 'vi' ? dateVi.format(ms) : dateEn.format(ms)
}

const units = {
  vi: { s: 's', m: 'phút', h: 'giờ' },
  en: { s: 's', m: 'min', h: 'h' },
} as const

/** How old: 12 s, 6 phút, 3 giờ; after a day the date. `ms` is the time of the value, `now` the present, both since 1970. */
export function age(ms: number, now: number, language: Language): string {
  const seconds = Math.max(0, Math.floor((now - ms) / 1000))
  const unit = units[language]
  if (seconds < 60) return `${seconds} ${unit.s}`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} ${unit.m}`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} ${unit.h}`
  return date(ms, language)
}

/** How long ago: 12 s trước, 6 min ago; after a day the date. As `age`. */
export function ago(ms: number, now: number, language: Language): string {
  const text = age(ms, now, language)
  return now - ms >= 86_400_000 ? text : `${text} ${language === 'vi' ? 'trước' : 'ago'}`
}

/** A length of time in words: 9 giây, 2 phút 14 giây, 1 giờ 5 phút. `ms` is its length. */
export function duration(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const words = language === 'vi' ? (['giờ', 'phút', 'giây'] as const) : (['h', 'min', 's'] as const)
  if (h > 0) return `${h} ${words[0]}${m > 0 ? ` ${m} ${words[1]}` : ''}`
  if (m > 0) return `${m} ${words[1]}${s > 0 ? ` ${s} ${words[2]}` : ''}`
  return `${s} ${words[2]}`
}

/** A running clock: 09:05, 1:02:09. `ms` is the length. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const h = Math.floor(seconds / 3600)
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
  return h > 0 ? `${h}:${rest}` : rest
}

/** A rate in bit/s with its unit: 84 kb/s, 1,2 Mb/s. */
export function rate(bitsPerSecond: number | null | undefined, language: Language): string {
  if (bitsPerSecond === null || bitsPerSecond === undefined || !Number.isFinite(bitsPerSecond)) return '–'
  if (bitsPerSecond < 999_500) return `${number(bitsPerSecond / 1000, 0, language)} kb/s`
  return `${number(bitsPerSecond / 1e6, 1, language)} Mb/s`
}
