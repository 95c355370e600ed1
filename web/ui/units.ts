/** Measured values, counts and sizes as people write them; UCUM codes as people know them. Pure. */
import type { Language } from './dictionary'
import { number } from './format'
// The same in the texts of alarms, mails and CAP documents (tram/units.py).
import table from '../../tram/unit_names.json'

const LOCALE = { vi: 'vi-VN', en: 'en-GB' } as const
const formats = new Map<string, Intl.NumberFormat>()

function upTo(value: number, digits: number, language: Language): string {
  const key = `${language}${digits}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: digits })
    formats.set(key, format)
  }
  return format.format(value).replace('-', '−')
}

const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const superscript = (power: string) =>
  String(Number(power)).replace(/[-\d]/g, (c) => (c === '-' ? '⁻' : raised[Number(c)]!))

/** A measured value to about four figures; very large and very small ones with a power of ten; "–" for none. */
export function measured(value: number | null | undefined, language: Language): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e10 || size < 1e-4)) {
    const [mantissa = '', power = ''] = value.toExponential(2).split('e')
    return `${upTo(Number(mantissa), 2, language)} × 10${superscript(power)}`
  }
  return upTo(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4, language)
}

/** The labels of an axis, evenly apart: all with as many decimals as tell each from the next. */
export function marked(values: readonly number[], language: Language): string[] {
  const step = values.length > 1 ? Math.abs(values[1]! - values[0]!) : 0
  const size = Math.max(...values.map(Math.abs), 0)
  if (step < 1e-12 || size >= 1e10 || size < 1e-4) return values.map((value) => measured(value, language))
  // A step is 1, 2, 2.5 or 5 times a power of ten: one decimal more where the first does not hold it.
  const first = Math.max(0, -Math.floor(Math.log10(step * 1.000001)))
  const held = Math.abs(step * 10 ** first - Math.round(step * 10 ** first)) < 1e-6
  return values.map((value) => upTo(value, held ? first : first + 1, language))
}

/** A count: 1.846 / 1,846. */
export function count(n: number | null | undefined, language: Language): string {
  return number(n, 0, language)
}

/** Bytes as kB, MB, GB (powers of ten). */
export function bytes(n: number, language: Language): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = n
  let i = 0
  for (; size >= 1000 && i < names.length - 1; i++) size /= 1000
  return `${number(size, size < 10 && i > 0 ? 1 : 0, language)} ${names[i]}`
}

const NAMES: Readonly<Record<string, string | readonly string[]>> = table

/** A UCUM code as people write it; one that is not known as it is. */
export function unit(code: string, language: Language): string {
  const known = NAMES[code] ?? code
  return typeof known === 'string' ? known : (known[language === 'vi' ? 0 : 1] ?? code)
}

/** What is measured, and its unit where it has one: "Bụi PM2.5, µg/m³". */
export function titled(what: string, code: string, language: Language): string {
  const name = unit(code, language)
  return name ? `${what}, ${name}` : what
}

/** A text of before, with the unit of its value as people write it: "(71.2 dB[SPL])" is "(71.2 dB)". */
export function respelled(text: string, language: Language): string {
  return text.replace(/\(([−-]?[\d.,]+) ([^\s()]+)\)/g, (whole, value: string, code: string) => {
    const name = unit(code, language)
    return name === code ? whole : `(${[value, name].filter(Boolean).join(' ')})`
  })
}
