/** Small pictures put onto a large one, pixel by pixel. A canvas draws thousands of images a frame twenty times slower, with
 *  or without a graphics card, and a browser draws them again when it shows the page. Pure. */

/** Pixels as canvases hold them: red, green, blue, alpha from the lowest byte up, not multiplied. */
export interface Picture {
  pixels: Uint32Array
  width: number
  height: number
}

/** Put columns `from` to `from + size` of `source` (as high as `size`) onto `target`, their corner at (left, top). */
export function stamp(target: Picture, left: number, top: number, source: Picture, from: number, size: number): void {
  const [x0, x1] = [Math.max(0, -left), Math.min(size, target.width - left)]
  const [y0, y1] = [Math.max(0, -top), Math.min(size, target.height - top)]
  const { pixels: into } = target
  const { pixels: of } = source
  for (let y = y0; y < y1; y++) {
    let at = (top + y) * target.width + left + x0
    let read = y * source.width + from + x0
    for (let x = x0; x < x1; x++, at++, read++) {
      const above = of[read]!
      const alpha = above >>> 24
      if (alpha === 0) continue
      if (alpha === 255) into[at] = above
      else into[at] = over(above, alpha, into[at]!)
    }
  }
}

/** An edge's pixel: mixed into an opaque one; of two that are half there the fuller one. */
function over(above: number, alpha: number, below: number): number {
  const under = below >>> 24
  if (under !== 255) return alpha > under ? above : below
  const [one, two] = [below & 0xff00ff, below & 0x00ff00]
  const mixed = (one + ((((above & 0xff00ff) - one) * alpha) >> 8)) & 0xff00ff
  const green = (two + ((((above & 0x00ff00) - two) * alpha) >> 8)) & 0x00ff00
  return (0xff000000 | mixed | green) >>> 0
}
