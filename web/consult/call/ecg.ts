/** An ECG as it came: pieces placed by their own time, gaps left as gaps. Pure; the canvas draws what this says. */

export interface Piece {
  /** Device time of the first sample, ms. */
  at: number
  /** Samples a second. */
  rate: number
  /** µV. */
  samples: readonly number[]
}

/** Samples without a hole between them. */
export interface Run {
  at: number
  rate: number
  samples: number[]
}

export interface Span {
  from: number
  to: number
}

const KEPT = 30_000 // ms
/** ms shown later than the newest sample could be: smooths over a radio's bursts, well under a breath. */
export const BUFFER = 500

const end = ({ at, rate, samples }: Piece) => at + (samples.length * 1000) / rate

export class Ecg {
  #pieces: Piece[] = []
  #lag = Number.POSITIVE_INFINITY
  #first: number | null = null

  /** Take a piece that arrived at `now` (ms of any one clock, used for the playhead alone). */
  push(piece: Piece, now: number): void {
    if (piece.samples.length === 0) return
    let i = this.#pieces.length
    while (i > 0 && this.#pieces[i - 1]!.at > piece.at) i--
    // The same stretch twice (a replay): the first one stands.
    if (i > 0 && end(this.#pieces[i - 1]!) > piece.at + 500 / piece.rate) return
    this.#pieces.splice(i, 0, piece)
    this.#first = Math.min(this.#first ?? piece.at, piece.at)
    // The quickest piece tells how far device time and this clock differ; a slow drift is let in.
    this.#lag = Math.min(this.#lag + 0.05, now - end(piece))
    const oldest = end(this.#pieces.at(-1)!) - KEPT
    while (this.#pieces.length > 0 && end(this.#pieces[0]!) < oldest) this.#pieces.shift()
  }

  clear(): void {
    this.#pieces = []
    this.#lag = Number.POSITIVE_INFINITY
    this.#first = null
  }

  get empty(): boolean {
    return this.#pieces.length === 0
  }

  /** Device time of the newest sample, ms. */
  get newest(): number | null {
    const last = this.#pieces.at(-1)
    return last ? end(last) : null
  }

  /** The device time to show at `now`. */
  playhead(now: number): number | null {
    return this.empty ? null : now - this.#lag - BUFFER
  }

  /** What was received between two device times. */
  runs(from: number, to: number): Run[] {
    const found: Run[] = []
    for (const piece of this.#pieces) {
      const step = 1000 / piece.rate
      const first = Math.max(0, Math.ceil((from - piece.at) / step))
      const last = Math.min(piece.samples.length, Math.floor((to - piece.at) / step) + 1)
      if (first >= last) continue
      const before = found.at(-1)
      const at = piece.at + first * step
      const joins =
        before && before.rate === piece.rate && Math.abs(before.at + before.samples.length * step - at) < step * 0.6
      if (joins) for (let i = first; i < last; i++) before.samples.push(piece.samples[i]!)
      else found.push({ at, rate: piece.rate, samples: piece.samples.slice(first, last) })
    }
    return found
  }

  /** Where nothing was received between two device times, from the first sample ever on. A gap that began earlier is
   *  given from its true beginning, so that its length is said rightly. */
  gaps(from: number, to: number): Span[] {
    if (this.#first === null) return []
    const found: Span[] = []
    const before = this.#pieces.findLast((piece) => end(piece) <= from)
    let reached = before ? end(before) : Math.max(from, this.#first)
    for (const run of this.runs(from, to)) {
      if (run.at - reached > 1500 / run.rate) found.push({ from: reached, to: run.at })
      reached = run.at + (run.samples.length * 1000) / run.rate
    }
    if (to - reached > 20) found.push({ from: reached, to })
    return found
  }
}

/** A sweep: device time runs over `width` px and begins again at the left. `pxPerMm` is the screen's, 25 mm are a second. */
export class Sweep {
  constructor(
    readonly width: number,
    readonly pxPerMm: number,
  ) {}

  /** ms that fit on the width. */
  get window(): number {
    return (this.width / (25 * this.pxPerMm)) * 1000
  }

  /** px from the left at device time `at`. */
  x(at: number): number {
    const inside = at % this.window
    return ((inside < 0 ? inside + this.window : inside) / this.window) * this.width
  }

  /** px for µV, upwards positive: 10 mm are a millivolt. */
  height(microvolts: number): number {
    return (microvolts / 1000) * 10 * this.pxPerMm
  }

  /** Cut a span of device time where the sweep begins again, into stretches that run left to right. */
  stretches({ from, to }: Span): Span[] {
    const found: Span[] = []
    let at = from
    while (at < to) {
      const turn = (Math.floor(at / this.window) + 1) * this.window
      found.push({ from: at, to: Math.min(to, turn) })
      at = turn
    }
    return found
  }
}
