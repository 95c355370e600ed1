/** The end of a live chart. An hour on 300 pixels moves by one of them every twelve seconds: until then all but the last
 *  few stands as it is, and only they are drawn anew when a value comes. */
import type uPlot from 'uplot'
import type { Columns } from './tail'

/** Where the axis ends, s, that must reach `end`: whole steps behind `start`, so that lines move by whole pixels. */
export function settled(end: number, start: number, step: number): number {
  if (!(step > 0 && step < Infinity)) return end // a chart without a width
  return start + Math.ceil((end - start) / step - 1e-6) * step
}

/** uPlot remembers how its pen is set: what is set within the clip stays set behind it. */
const pens = ['strokeStyle', 'fillStyle', 'lineWidth', 'lineJoin', 'lineCap', 'font', 'textAlign', 'textBaseline', 'globalAlpha'] as const // prettier-ignore

function clipped(pen: CanvasRenderingContext2D, left: number, draw: () => void): void {
  pen.save()
  pen.beginPath()
  pen.rect(left, 0, pen.canvas.width - left, pen.canvas.height)
  pen.clip()
  draw()
  const kept = Object.fromEntries(pens.map((name) => [name, pen[name]]))
  const dash = pen.getLineDash()
  pen.restore()
  Object.assign(pen, kept)
  pen.setLineDash(dash)
}

export class End {
  /** The point that lines are drawn from to their ends; null: all that is in view. */
  first: number | null = null
  // How it was when all was drawn; nothing was.
  #until = NaN
  #newest = Infinity
  #low = Infinity
  #high = -Infinity

  /** Another size, other numbers: nothing stands. */
  spoil(): void {
    this.#until = NaN
  }

  /** A value that has come. It must be seen at the end and change no scale, or all is drawn. */
  came(at: number, value: number | null): void {
    if (at <= this.#newest || value === null || value < this.#low || value > this.#high) this.spoil()
  }

  /** Whether nothing but the end is other with the axis up to there. */
  alone(until: number): boolean {
    return this.#until === until
  }

  /** All is drawn: the axis to `until`, points to `newest`, values between `low` and `high`. */
  stands(until: number, newest: number, low: number, high: number): void {
    this.#until = until
    this.#newest = newest
    this.#low = low
    this.#high = high
  }

  /** Draws all, the axis from `until - span` to `until`, s. */
  all(plot: uPlot, data: Columns, span: number, until: number): void {
    plot.batch(() => {
      plot.setData(data as uPlot.AlignedData, false)
      plot.setScale('x', { min: until - span, max: until })
    })
    const lines = plot.series.slice(1)
    const low = Math.min(...lines.map((one) => one.min ?? Infinity))
    const high = Math.max(...lines.map((one) => one.max ?? -Infinity))
    this.stands(until, data[0].at(-1) ?? Infinity, low, high)
  }

  /** Draws what has come since then, with the pixels before it that a line's joint may reach. */
  last(plot: uPlot, data: Columns): void {
    const left = Math.floor(plot.valToPos(this.#newest, 'x', true)) - 2 * devicePixelRatio
    const from = plot.posToVal(left - 3 * devicePixelRatio, 'x', true)
    let first = data[0].length - 1
    while (first > 0 && data[0][first]! > from) first--
    this.first = first
    clipped(plot.ctx, left, () =>
      plot.batch(() => {
        plot.setData(data as uPlot.AlignedData, false)
        plot.redraw(false)
      }),
    )
    this.first = null
  }
}
