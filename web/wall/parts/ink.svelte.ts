/** The computed colours of the theme in force, for canvases. Read once per change of theme. */
import { look } from '$ui/look.svelte'

const names = ['text', 'text-2', 'text-3', 'line', 'line-strong', 'surface', 'gap', 'warn', 'accent', 'on-accent', 'map-land', 'map-line', 'map-label',
  'ok', 'danger', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'p1', 'p1-on', 'p2-on', 'p3-on', 'p4-on', 'p2', 'p3', 'p4'] as const // prettier-ignore
export type Ink = Record<(typeof names)[number], string> & { font: string }

function read(): Ink {
  const style = getComputedStyle(document.documentElement)
  const found = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]))
  return { ...found, font: style.getPropertyValue('--font-text').trim() } as Ink
}

class Colours {
  readonly ink = $derived.by(() => {
    void look.theme // the attribute is written before this is read again
    return read()
  })
}

export const colours = new Colours()

/** The colour of the n-th series, and its dash from the fourth on. */
export function series(n: number, ink: Ink): { stroke: string; dash?: number[] } {
  const stroke = ink[`c${(n % 8) + 1}` as 'c1']
  const dashes = [[], [], [], [6, 3], [2, 3], [9, 3, 2, 3], [12, 4], [1, 3]][n % 8]!
  return dashes.length ? { stroke, dash: dashes } : { stroke }
}

/** A diagonal hatch for what is missing. */
export function hatch(context: CanvasRenderingContext2D, colour: string): CanvasPattern | null {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 8
  const pen = tile.getContext('2d')
  if (!pen) return null
  pen.strokeStyle = colour
  pen.lineWidth = 1
  pen.beginPath()
  for (const x of [-4, 0, 4, 8]) {
    pen.moveTo(x, 8)
    pen.lineTo(x + 8, 0)
  }
  pen.stroke()
  return context.createPattern(tile, 'repeat')
}
