/** Draws an ECG sweep: paper, trace, gaps hatched with their length, the bar that wipes ahead of the newest point. */
import type { Ecg, Span, Sweep } from '../call/ecg'

export interface Ink {
  paper: string
  minor: string
  major: string
  trace: string
  gap: string
  text: string
}

/** The theme's colours, read once per theme. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    paper: of('--ecg-paper'),
    minor: of('--ecg-minor'),
    major: of('--ecg-major'),
    trace: of('--ecg-trace'),
    gap: of('--gap'),
    text: of('--text'),
  }
}

/** mm left of the sweep for the calibration pulse: 1 mV for 0.2 s. */
export const MARGIN = 10
const WIPE = 5 // mm kept empty ahead of the newest point

/** Lines each mm and each 5 mm. */
export function paper(context: CanvasRenderingContext2D, width: number, height: number, mm: number, ink: Ink): void {
  context.fillStyle = ink.paper
  context.fillRect(0, 0, width, height)
  for (const [every, colour] of [
    [mm, ink.minor],
    [5 * mm, ink.major],
  ] as const) {
    context.beginPath()
    for (let x = every; x < width; x += every) lineTo(context, x, 0, x, height)
    for (let y = every; y < height; y += every) lineTo(context, 0, y, width, y)
    context.strokeStyle = colour
    context.lineWidth = 1
    context.stroke()
  }
}

function lineTo(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5)
  context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5)
}

/** The pulse of 10 mm that proves the scale. */
export function calibration(context: CanvasRenderingContext2D, base: number, mm: number, ink: Ink): void {
  context.beginPath()
  context.moveTo(mm, base)
  context.lineTo(2.5 * mm, base)
  context.lineTo(2.5 * mm, base - 10 * mm)
  context.lineTo(7.5 * mm, base - 10 * mm)
  context.lineTo(7.5 * mm, base)
  context.lineTo(9 * mm, base)
  pen(context, ink)
}

function pen(context: CanvasRenderingContext2D, ink: Ink): void {
  context.strokeStyle = ink.trace
  context.lineWidth = 1.4
  context.lineJoin = 'round'
  context.stroke()
}

/** The trace as it stands at device time `head`. Returns the gaps drawn, in px, widest first. */
export function trace(
  context: CanvasRenderingContext2D,
  ecg: Ecg,
  sweep: Sweep,
  head: number,
  base: number,
  height: number,
  ink: Ink,
): (Span & { ms: number })[] {
  const wipe = (WIPE * sweep.pxPerMm * sweep.window) / sweep.width
  const from = head - sweep.window + wipe
  const left = MARGIN * sweep.pxPerMm
  context.save()
  context.beginPath()
  context.rect(left, 0, sweep.width, height)
  context.clip()
  context.beginPath()
  for (const run of ecg.runs(from, head)) {
    let before = Number.POSITIVE_INFINITY
    for (const [i, value] of run.samples.entries()) {
      const x = left + sweep.x(run.at + (i * 1000) / run.rate)
      const y = base - sweep.height(value)
      // Where the sweep begins again at the left the pen is lifted.
      if (x < before || i === 0) context.moveTo(x, y)
      else context.lineTo(x, y)
      before = x
    }
  }
  pen(context, ink)
  const shown: (Span & { ms: number })[] = []
  for (const gap of ecg.gaps(from, head)) {
    for (const part of sweep.stretches({ from: Math.max(from, gap.from), to: gap.to })) {
      const x0 = left + sweep.x(part.from)
      const x1 = x0 + ((part.to - part.from) / sweep.window) * sweep.width
      hatch(context, x0, x1, height, ink)
      shown.push({ from: x0, to: x1, ms: gap.to - gap.from })
    }
  }
  context.restore()
  return shown.sort((a, b) => b.to - b.from - (a.to - a.from))
}

function hatch(context: CanvasRenderingContext2D, from: number, to: number, height: number, ink: Ink): void {
  context.save()
  context.beginPath()
  context.rect(from, 0, to - from, height)
  context.clip()
  context.fillStyle = ink.paper
  context.fill()
  context.beginPath()
  for (let x = from - height - (from % 8); x < to; x += 8) {
    context.moveTo(x, height)
    context.lineTo(x + height, 0)
  }
  context.strokeStyle = ink.gap
  context.lineWidth = 1.2
  context.stroke()
  context.restore()
}
