/** Every pair of tokens that stands on one another, by WCAG 2.2 relative luminance: a colour changed by eye fails here. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8')

function block(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector}{`)
  expect(start, selector).toBeGreaterThan(-1)
  const body = css.slice(start, css.indexOf('\n}', start))
  return Object.fromEntries(
    [...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6}|#[0-9a-f]{3}|rgb\([^)]*\))[;}]/gi)].map((m) => [m[1], m[2]]),
  )
}

function channels(colour: string): number[] {
  if (colour.startsWith('rgb')) return [...colour.matchAll(/\d+/g)].map(Number)
  const hex = colour.length === 4 ? [...colour.slice(1)].map((c) => c + c).join('') : colour.slice(1)
  return [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16))
}

function luminance(colour: string): number {
  const [r, g, b] = channels(colour).map((c) =>
    c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high! + 0.05) / (low! + 0.05)
}

type Pair = [foreground: string, ground: string, least: number]
const TEXT = 4.5 // words
const CONTROL = 3 // outlines of controls, focus, chart lines
const TRACE = 7 // the ECG

function* pairs(): Generator<Pair> {
  for (const ground of ['bg', 'surface', 'raised', 'sunken', 'hover', 'selected'])
    for (const text of ['text', 'text-2', 'text-3']) yield [text, ground, TEXT]
  const tones = ['ok', 'warn', 'danger', 'info']
  for (const text of ['accent-text', ...tones, 'p1-text', 'p2-text', 'p3-text', 'p4-text'])
    for (const ground of ['bg', 'surface', 'raised', 'selected']) yield [text, ground, TEXT]
  for (const tone of tones) for (const text of [tone, 'text', 'text-2']) yield [text, `${tone}-tint`, TEXT]
  for (const p of ['p1', 'p2', 'p3', 'p4']) {
    yield [`${p}-on`, p, TEXT]
    for (const text of [`${p}-text`, 'text', 'text-2']) yield [text, `${p}-tint`, TEXT]
    yield [p === 'p3' ? 'p3-text' : p, 'surface', CONTROL]
  }
  yield* [
    ['accent-text', 'accent-tint', TEXT],
    ['accent-text', 'hover', TEXT],
    ['text-3', 'accent-tint', TEXT],
    ['on-accent', 'accent', TEXT],
    ['on-accent', 'accent-hover', TEXT],
    ['bg', 'text', TEXT],
    ['text', 'hatch', TEXT],
    ['text-2', 'hatch', TEXT],
    ['warn', 'hatch', TEXT],
    ['accent', 'surface', CONTROL],
    ['map-label', 'map-land', TEXT],
    ['map-water', 'map-land', CONTROL],
    ['ecg-trace', 'ecg-paper', TRACE],
    ['ecg-trace', 'ecg-major', TEXT],
  ] satisfies Pair[]
  for (const control of ['control-line', 'focus'])
    for (const ground of ['surface', 'bg', 'raised']) yield [control, ground, CONTROL]
  for (let i = 1; i <= 8; i++) for (const ground of ['surface', 'sunken']) yield [`c${i}`, ground, CONTROL]
  for (let i = 1; i <= 6; i++) yield [`aqi-${i}-on`, `aqi-${i}`, TEXT]
}

describe.each(['dark', 'light', 'contrast'])('theme %s', (theme) => {
  const tokens = { ...block(':root'), ...block(`[data-theme="${theme}"]`) }
  it.each([...pairs()])('%s on %s is at least %d', (foreground, ground, least) => {
    expect(contrast(tokens[foreground]!, tokens[ground]!)).toBeGreaterThanOrEqual(least)
  })
})
