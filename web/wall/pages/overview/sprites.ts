/** Every look of a marker drawn once, side by side: a marker is then one copy of a few pixels. What is
 *  late is a ring with a hatch in it, what never spoke an empty ring: told apart without colour. */
import type { Ink } from '../../parts/ink.svelte'
import { mix } from './colour'
import { LOOKS, meaning } from './markers'
import { type Stencil, stencil } from './stamp'

export interface Sprites {
  /** By look. */
  looks: Stencil[]
  /** Pixels of the screen across one of them. */
  size: number
}

/** The colour at a place of the ramp. */
export function ramp(share: number, ink: Ink): string {
  return mix(ink['map-land'], ink.c1, 0.15 + share * 0.85)
}

export function sprites(radius: number, ratio: number, ink: Ink): Sprites {
  const size = Math.ceil((radius + 2) * 2 * ratio)
  const canvas = document.createElement('canvas')
  const width = (canvas.width = size * LOOKS)
  canvas.height = size
  const pen = canvas.getContext('2d', { willReadFrequently: true })!
  for (let at = 0; at < LOOKS; at++) {
    const { state, share } = meaning(at)
    const colour = share === null ? { live: ink.ok, late: ink.warn, never: ink['text-3'] }[state] : ramp(share, ink)
    pen.setTransform(ratio, 0, 0, ratio, at * size + size / 2, size / 2)
    dot(pen, radius, state, colour, share === null ? ink.surface : ink['text-2'], ink.surface)
  }
  const pixels = new Int32Array(pen.getImageData(0, 0, width, size).data.buffer)
  return { looks: Array.from({ length: LOOKS }, (_, at) => stencil(pixels, width, at * size, size)), size }
}

function dot(
  pen: CanvasRenderingContext2D,
  radius: number,
  state: string,
  colour: string,
  edge: string,
  ground: string,
) {
  pen.beginPath()
  pen.arc(0, 0, radius, 0, 2 * Math.PI)
  pen.fillStyle = state === 'live' ? colour : ground
  pen.fill()
  if (state === 'late') {
    pen.save()
    pen.clip()
    pen.strokeStyle = colour
    pen.lineWidth = 1
    pen.beginPath()
    for (let x = -3 * radius; x < radius; x += 3) {
      pen.moveTo(x, radius)
      pen.lineTo(x + 2 * radius, -radius)
    }
    pen.stroke()
    pen.restore()
  }
  pen.beginPath()
  pen.arc(0, 0, radius, 0, 2 * Math.PI)
  pen.lineWidth = state === 'live' ? 1 : 1.6
  pen.strokeStyle = state === 'live' ? edge : colour
  pen.stroke()
}
