/** What stands behind the lines of a chart: stretches of time (a firing, a note) and levels across it. */
import type uPlot from 'uplot'
import type { Ink } from './ink.svelte'

export type Tone = 'p1' | 'p2' | 'p3' | 'p4' | 'accent'

/** A stretch of time, ms; `from` = `to` is a moment. `flag` is written at its top, `text` beside the pointer. */
export interface Span {
  from: number
  to: number
  tone: Tone
  flag?: string
  text?: string
}

/** Those at a moment, or at most `slack` from it, that say something. */
export function told(all: readonly Span[], at: number, slack: number): Span[] {
  return all.filter((one) => one.text && at >= one.from - slack && at <= one.to + slack)
}

/** A level across the chart, in its unit. */
export interface Limit {
  value: number
  tone: Tone
  /** Written on the line at its left. */
  label?: string
}

/** Where the words of lines begin, each on its own line: beside another one's where the two lines are too near. Null: there
 *  is no room for it. All in px; `tall` is the height of a word. */
export function beside(
  given: readonly { y: number; width: number }[],
  left: number,
  right: number,
  tall: number,
  gap: number,
): (number | null)[] {
  const placed: { x: number; y: number; width: number }[] = []
  return given.map(({ y, width }) => {
    const near = placed.filter((one) => Math.abs(one.y - y) < tall)
    const x = Math.max(left, ...near.map((one) => one.x + one.width + gap))
    if (x + width > right) return null
    placed.push({ x, y, width })
    return x
  })
}

/** The range of values that shows the limits too. */
export function including(
  low: number | null,
  high: number | null,
  limits: readonly Limit[],
): [number | null, number | null] {
  const values = limits.map((one) => one.value).filter(Number.isFinite)
  if (values.length === 0) return [low, high]
  return [Math.min(low ?? Infinity, ...values), Math.max(high ?? -Infinity, ...values)]
}

/** The pixels of a span within [left, right], at least `least` wide; null: it is outside. */
export function within(from: number, to: number, left: number, right: number, least: number): [number, number] | null {
  if (to < left || from > right) return null
  const start = Math.max(left, from)
  return [start, Math.max(start + least, Math.min(right, to))]
}

export function spans(plot: uPlot, all: readonly Span[], ink: Ink, scale: number): void {
  const { left, top, width, height } = plot.bbox
  const pixel = devicePixelRatio * scale
  const pen = plot.ctx
  pen.save()
  for (const one of all) {
    const at = within(
      plot.valToPos(one.from / 1000, 'x', true),
      plot.valToPos(one.to / 1000, 'x', true),
      left,
      left + width,
      2 * pixel,
    )
    if (!at) continue
    const [start, end] = at
    pen.fillStyle = ink[one.tone]
    pen.globalAlpha = one.from === one.to ? 0.7 : 0.16
    pen.fillRect(start, top, end - start, height)
    pen.globalAlpha = 1
    pen.fillRect(start, top, end - start, 2 * pixel)
    if (one.flag === undefined) continue
    pen.font = `600 ${11 * pixel}px ${ink.font}`
    const wide = pen.measureText(one.flag).width + 8 * pixel
    const place = Math.min(start, left + width - wide)
    pen.fillRect(place, top, wide, 16 * pixel)
    pen.fillStyle = one.tone === 'accent' ? ink['on-accent'] : ink.surface
    pen.textBaseline = 'middle'
    pen.textAlign = 'left'
    pen.fillText(one.flag, place + 4 * pixel, top + 8.5 * pixel)
  }
  pen.restore()
}

export function levels(plot: uPlot, all: readonly Limit[], ink: Ink, scale: number): void {
  const { left, top, width, height } = plot.bbox
  const pen = plot.ctx
  pen.save()
  pen.lineWidth = 1.5 * devicePixelRatio
  pen.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
  for (const one of all) {
    const y = Math.round(plot.valToPos(one.value, 'y', true))
    if (y < top || y > top + height) continue
    pen.strokeStyle = ink[one.tone]
    pen.beginPath()
    pen.moveTo(left, y)
    pen.lineTo(left + width, y)
    pen.stroke()
  }
  words(plot, all, ink, scale)
  pen.restore()
}

/** The names of the levels, above their lines, on a ground that keeps the lines behind them apart. */
function words(plot: uPlot, all: readonly Limit[], ink: Ink, scale: number): void {
  const { left, top, width, height } = plot.bbox
  const pixel = devicePixelRatio * scale
  const pen = plot.ctx
  pen.font = `600 ${11 * pixel}px ${ink.font}`
  pen.textAlign = 'left'
  pen.textBaseline = 'alphabetic'
  pen.setLineDash([])
  pen.lineJoin = 'round'
  const shown = all
    .map((one) => ({
      ...one,
      y: Math.round(plot.valToPos(one.value, 'y', true)),
      width: one.label ? pen.measureText(one.label).width : 0,
    }))
    .filter((one) => one.label && one.y >= top && one.y <= top + height)
    .sort((a, b) => a.tone.localeCompare(b.tone)) // the gravest is written first
  const places = beside(shown, left + 4 * pixel, left + width, 16 * pixel, 12 * pixel)
  shown.forEach((one, i) => {
    const x = places[i]
    if (x === null || x === undefined) return
    // Above its line, or below it at the upper edge.
    const y = one.y - 14 * pixel < top ? one.y + 12 * pixel : one.y - 4 * pixel
    pen.lineWidth = 4 * pixel
    pen.strokeStyle = ink.surface
    pen.strokeText(one.label!, x, y)
    pen.fillStyle = ink['text-2']
    pen.fillText(one.label!, x, y)
  })
}
