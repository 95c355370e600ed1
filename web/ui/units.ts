/** Measured values, counts and sizes as people write them; UCUM codes as people know them. Pure. */
import type { Language } from './dictionary'
import { number } from './format'

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

const UNITS: Readonly<Record<string, string | readonly [vi: string, en: string]>> = {
  '1': '', '{count}': '', 'Cel': '°C', '[degF]': '°F', 'deg': '°', '[pH]': 'pH', '[NTU]': 'NTU',
  'ug/m3': 'µg/m³', 'mg/m3': 'mg/m³', 'm3': 'm³', 'm3/s': 'm³/s', 'm3/h': 'm³/h', 'uS/cm': 'µS/cm', 'W/m2': 'W/m²',
  'kW.h': 'kWh', 'W.h': 'Wh', 'MW.h': 'MWh', 'V.A': 'VA', 'kV.A': 'kVA', 'mm[Hg]': 'mmHg', '[ppm]': 'ppm', '[ppb]': 'ppb',
  'dB[SPL]': 'dB', 'dB[mW]': 'dBm', 'Bq/m3': 'Bq/m³', 'uSv/h': 'µSv/h',
  '/min': ['/phút', '/min'], '{veh}': ['xe', 'veh'], '{veh}/h': ['xe/giờ', 'veh/h'], 'mm/h': ['mm/giờ', 'mm/h'], 'm/h': ['m/giờ', 'm/h'],
} // prettier-ignore

/** A UCUM code as people write it; one that is not known as it is. */
export function unit(code: string, language: Language): string {
  const known = UNITS[code] ?? code
  return typeof known === 'string' ? known : known[language === 'vi' ? 0 : 1]
}
