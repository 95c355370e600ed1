/** Devices on the map as columns: where they are on the earth and on the screen, and how each looks. Thousands move in
 *  well under a millisecond, since nothing is made anew. Pure. */
export type State = 'live' | 'late' | 'never'

export interface Marker {
  thing: string
  label: string
  longitude: number
  latitude: number
  state: State
  /** Of the shown property, 0 (its low end) to 1; null: coloured by state. */
  share: number | null
  /** Its gravest open alarm, 1 to 4, and whether somebody has seen it: else it has a ring. */
  alarm?: { rank: 1 | 2 | 3 | 4; seen: boolean } | undefined
}

/** What is shown: the centre in Web Mercator (0 to 1), the world's width and the canvas, in the same pixels. */
export interface View {
  x: number
  y: number
  world: number
  width: number
  height: number
}

/** Looks: the three states, then `LEVELS` steps of the ramp filled, then as many that are late. */
export const LEVELS = 32
export const LOOKS = 3 + 2 * LEVELS
const states: readonly State[] = ['live', 'late', 'never']

/** Which look shows this state, and this place on the ramp. */
export function look(state: State, share: number | null): number {
  if (share === null || state === 'never') return states.indexOf(state)
  return 3 + (state === 'live' ? 0 : LEVELS) + Math.min(LEVELS - 1, Math.floor(share * LEVELS))
}

/** The inverse: the middle of its step of the ramp. */
export function meaning(at: number): { state: State; share: number | null } {
  if (at < 3) return { state: states[at]!, share: null }
  const level = (at - 3) % LEVELS
  return { state: at < 3 + LEVELS ? 'live' : 'late', share: (level + 0.5) / LEVELS }
}

export const mercatorX = (longitude: number) => (180 + longitude) / 360
export const mercatorY = (latitude: number) =>
  (180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360))) / 360

const CELL = 24 // pixels of the hit test's grid

export class Markers {
  list: readonly Marker[] = []
  /** On the screen, and beyond it. */
  left = new Float32Array(0)
  top = new Float32Array(0)
  looks = new Uint8Array(0)
  /** Indices of the markers in view, the first `count` of it. */
  shown = new Int32Array(0)
  count = 0
  #x = new Float64Array(0)
  #y = new Float64Array(0)
  #index = new Map<string, number>()
  #cells = new Map<number, number>()
  #next = new Int32Array(0)
  #gridded = false

  set(list: readonly Marker[]): void {
    const n = list.length
    if (this.left.length < n) {
      const room = Math.ceil(n * 1.25)
      this.left = new Float32Array(room)
      this.top = new Float32Array(room)
      this.looks = new Uint8Array(room)
      this.shown = new Int32Array(room)
      this.#x = new Float64Array(room)
      this.#y = new Float64Array(room)
      this.#next = new Int32Array(room)
    }
    this.list = list
    this.#index = new Map()
    for (let i = 0; i < n; i++) {
      const one = list[i]!
      this.#x[i] = mercatorX(one.longitude)
      this.#y[i] = mercatorY(one.latitude)
      this.looks[i] = look(one.state, one.share)
      this.#index.set(one.thing, i)
    }
    this.count = 0
    this.#gridded = false
  }

  /** The index of a Thing's marker; -1: it has none. */
  of(thing: string | null): number {
    return thing === null ? -1 : (this.#index.get(thing) ?? -1)
  }

  /** A new value, at this place of the ramp. True where it looks another way now. */
  value(thing: string, share: number | null, state: State = 'live'): boolean {
    const i = this.#index.get(thing)
    if (i === undefined) return false
    const wanted = look(state, share)
    if (this.looks[i] === wanted) return false
    this.looks[i] = wanted
    return true
  }

  /** Where everything is in this view; `margin`: pixels beyond its edges that still count. */
  place({ x, y, world, width, height }: View, margin: number): void {
    let count = 0
    for (let i = 0, n = this.list.length; i < n; i++) {
      const left = (this.#x[i]! - x) * world + width / 2
      const top = (this.#y[i]! - y) * world + height / 2
      this.left[i] = left
      this.top[i] = top
      if (left < -margin || top < -margin || left > width + margin || top > height + margin) continue
      this.shown[count++] = i
    }
    this.count = count
    this.#gridded = false
  }

  /** The nearest marker in view within `reach` pixels, by index; -1: none. */
  hit(left: number, top: number, reach: number): number {
    if (!this.#gridded) this.#grid()
    let best = -1
    let least = reach ** 2
    const cells = (v: number) => Math.floor(v / CELL)
    for (let row = cells(top - reach); row <= cells(top + reach); row++) {
      for (let column = cells(left - reach); column <= cells(left + reach); column++) {
        for (let i = this.#cells.get(key(column, row)) ?? -1; i >= 0; i = this.#next[i]!) {
          const far = (this.left[i]! - left) ** 2 + (this.top[i]! - top) ** 2
          if (far <= least) [best, least] = [i, far]
        }
      }
    }
    return best
  }

  #grid(): void {
    this.#cells.clear()
    for (let at = 0; at < this.count; at++) {
      const i = this.shown[at]!
      const cell = key(Math.floor(this.left[i]! / CELL), Math.floor(this.top[i]! / CELL))
      this.#next[i] = this.#cells.get(cell) ?? -1
      this.#cells.set(cell, i)
    }
    this.#gridded = true
  }
}

/** One number a cell; screens have far fewer than 2^12 cells across. */
const key = (column: number, row: number) => (row + 2048) * 4096 + column + 2048
