/** uPlot's options for our lines: axes in +07, hatched gaps, bands, thresholds, one cursor for all charts of a page. */
import uPlot from 'uplot'
import type { Language } from '$ui/dictionary'
import { ZONE } from '$ui/format'
import { marked } from '$ui/units'
import type { Line } from './align'
import { type Limit, type Span, including, levels, spans } from './behind'
import { type Ink, hatch, series } from './ink.svelte'

export interface Drawn {
  label: string
  line: Line
  /** Which colour: the place of the series among all that are chosen. */
  colour: number
  /** A comparison: thin and dotted, in the same colour. */
  faint?: boolean
}

export interface Asked {
  drawn: Drawn[]
  band: boolean
  ink: Ink
  language: Language
  width: number
  height: number
  /** How much larger than at a desk: look.scale. */
  scale: number
  /** Moments that matter, ms: dotted verticals. */
  marks: readonly number[]
  spans?: readonly Span[]
  limits?: readonly Limit[]
  /** Amounts begin at zero, levels where they are. */
  fromZero: boolean
  sync: string
  /** Which part of the lines is drawn. */
  end: { first: number | null }
  onzoom: (from: number, to: number) => void
  onwiden: () => void
  /** Where the pointer is: the index of its value (null: nowhere), px from the left of the whole. */
  onpoint: (index: number | null, left: number) => void
}

const linear = uPlot.paths.linear!()

/** Whether each point is seen as one. */
export function dotted(one: Drawn): boolean {
  return !one.faint && one.line.values.length < 40
}

/** From the last point of the line not behind `first` to its end. */
function since(plot: uPlot, line: number, first: number): [number, number] {
  const column = plot.data[line]!
  while (first > 0 && (column[first] === null || column[first] === undefined)) first--
  return [first, column.length - 1]
}

export function options(asked: Asked): uPlot.Options {
  const { ink, language, scale, limits = [] } = asked
  const font = `${11 * scale}px ${ink.font}`
  const lines: uPlot.Series[] = [{}]
  const bands: uPlot.Band[] = []
  for (const one of asked.drawn) {
    const look = series(one.colour, ink)
    lines.push({
      label: one.label,
      ...look,
      width: (one.faint ? 1 : 1.6) * scale,
      spanGaps: false,
      points: { show: dotted(one), size: 4 * scale },
      paths: (plot, i, first, last) =>
        linear(plot, i, ...(asked.end.first === null ? ([first, last] as const) : since(plot, i, asked.end.first))),
      ...(one.faint ? { dash: [2 * scale, 4 * scale], points: { show: false } } : {}),
    })
    if (asked.band && one.line.low && !one.faint) {
      const at = lines.length
      lines.push({ label: '', stroke: 'transparent', width: 0, points: { show: false } })
      lines.push({ label: '', stroke: 'transparent', width: 0, points: { show: false } })
      bands.push({ series: [at + 1, at], fill: `${look.stroke}2e` })
    }
  }
  const solid = asked.drawn.flatMap(({ faint }, n) => (faint ? [] : [place(asked.drawn, asked.band, n)]))
  return {
    width: asked.width,
    height: asked.height,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), ZONE),
    legend: { show: false },
    cursor: {
      drag: { x: true, y: false, setScale: false },
      sync: { key: asked.sync, setSeries: false },
      points: { size: 7 * scale },
      bind: { dblclick: () => () => (asked.onwiden(), null) },
    },
    scales: {
      x: { time: true },
      y: { range: (_, low, high) => reach(...including(low, high, limits), asked.fromZero) },
    },
    series: lines,
    bands,
    axes: [
      { font, stroke: ink['text-3'], grid: { show: false }, ticks: { stroke: ink.line, width: 1, size: 4 }, values: ticks(), space: 76 * scale, size: 28 * scale },
      { font, stroke: ink['text-3'], grid: { stroke: ink.line, width: 1 }, ticks: { show: false }, size: (_, labels) => breadth(labels) * scale, space: 30 * scale, values: (_, at) => marked(at, language) },
    ], // prettier-ignore
    hooks: {
      drawAxes: [
        (plot) => gaps(plot, solid, asked.end.first, ink),
        (plot) => spans(plot, asked.spans ?? [], ink, scale),
        (plot) => levels(plot, limits, ink, scale),
        (plot) => verticals(plot, asked.marks, ink),
      ],
      setSelect: [
        (plot) => {
          if (plot.select.width < 6) return
          const from = plot.posToVal(plot.select.left, 'x')
          const to = plot.posToVal(plot.select.left + plot.select.width, 'x')
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          asked.onzoom(from * 1000, to * 1000)
        },
      ],
      setCursor: [
        (plot) => {
          const left = plot.cursor.left ?? -1
          asked.onpoint(left < 0 ? null : (plot.cursor.idx ?? null), left + plot.bbox.left / devicePixelRatio)
        },
      ],
    },
  }
}

/** Px that the labels of the y axis take: as few as always, more for long ones. */
export function breadth(labels: readonly string[] | null): number {
  return Math.max(52, 16 + 6.4 * Math.max(0, ...(labels ?? []).map((one) => one.length)))
}

/** The columns in the order of `options`' series. */
export function columns(asked: Pick<Asked, 'drawn' | 'band'>): { times: number[]; values: (number | null)[] }[] {
  return asked.drawn.flatMap(({ line, faint }) => [
    { times: line.times, values: line.values },
    ...(asked.band && line.low && line.high && !faint
      ? [
          { times: line.times, values: line.low },
          { times: line.times, values: line.high },
        ]
      : []),
  ])
}

/** Which column the n-th line has among `columns`, behind the times. */
export function place(drawn: readonly Drawn[], band: boolean, n: number): number {
  return 1 + columns({ drawn: drawn.slice(0, n), band }).length
}

/** Some air above and below; a flat line in the middle. */
export function reach(low: number | null, high: number | null, fromZero: boolean): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  const air = (high - low || Math.abs(high) || 1) * 0.08
  return [fromZero && low >= 0 ? 0 : low - air, high + air]
}

const two = (n: number) => String(n).padStart(2, '0')

/** 14:30, at midnight the day, at the first tick the day as well: day/month, in +07. */
function ticks(): uPlot.Axis.DynamicValues {
  return (_, at, __, ___, step) =>
    at.map((seconds, i) => {
      const moment = uPlot.tzDate(new Date(seconds * 1000), ZONE)
      const day = `${two(moment.getDate())}/${two(moment.getMonth() + 1)}`
      const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}`
      if (step >= 28 * 86_400) return `${two(moment.getMonth() + 1)}/${moment.getFullYear()}`
      if (step >= 86_400) return day
      if (clock === '00:00') return day
      return i === 0 ? `${day} ${clock}` : step < 60 ? `${clock}:${two(moment.getSeconds())}` : clock
    })
}

/** Hatches where a line is interrupted, of the lines with these columns. */
function gaps(plot: uPlot, lines: readonly number[], first: number | null, ink: Ink): void {
  if (lines.length > 3) return // with many lines the hatches would cover each other
  const times = plot.data[0]
  let fill: CanvasPattern | null = null
  for (const line of lines) {
    const column = plot.data[line]!
    let before = NaN
    let missing = false
    for (let i = since(plot, line, first ?? 0)[0]; i < times.length; i++) {
      const value = column[i]
      if (value === null) missing = true
      if (value === null || value === undefined) continue
      if (missing && before < Infinity) {
        const left = Math.max(plot.bbox.left, plot.valToPos(before, 'x', true))
        const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(times[i]!, 'x', true))
        if (right - left > 2) {
          fill ??= hatch(plot.ctx, ink.gap)
          if (!fill) return
          plot.ctx.save()
          plot.ctx.fillStyle = fill
          plot.ctx.globalAlpha = 0.6
          plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height)
          plot.ctx.restore()
        }
      }
      missing = false
      before = times[i]!
    }
  }
}

function verticals(plot: uPlot, marks: readonly number[], ink: Ink): void {
  const { left, top, width, height } = plot.bbox
  plot.ctx.save()
  plot.ctx.strokeStyle = ink['text-2']
  plot.ctx.lineWidth = devicePixelRatio
  plot.ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio])
  for (const ms of marks) {
    const x = Math.round(plot.valToPos(ms / 1000, 'x', true))
    if (x < left || x > left + width) continue
    plot.ctx.beginPath()
    plot.ctx.moveTo(x, top)
    plot.ctx.lineTo(x, top + height)
    plot.ctx.stroke()
  }
  plot.ctx.restore()
}
