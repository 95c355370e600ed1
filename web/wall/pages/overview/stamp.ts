/** Small pictures put onto a large one, pixel by pixel. A canvas draws thousands of images a frame twenty times slower, with
 *  or without a graphics card, and a browser draws them again when it shows the page. Pure.
 *
 *  Pixels are as canvases hold them: red, green, blue, alpha from the lowest byte up, not multiplied; as signed numbers, since
 *  those are small integers to a JavaScript engine. */

/** The pixels of one small picture that are not clear: the `solid` opaque ones, then its edges. */
export interface Stencil {
  size: number
  solid: number
  colours: Int32Array
  x: Int16Array
  y: Int16Array
  /** From its corner, in a large picture that is `across` wide. */
  offsets: Int32Array
  across: number
}

/** Columns `from` to `from + size` of a picture that is `width` wide and `size` high. */
export function stencil(pixels: Int32Array, width: number, from: number, size: number): Stencil {
  const found: { x: number; y: number; colour: number }[] = []
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const colour = pixels[y * width + from + x]!
      if (colour >>> 24) found.push({ x, y, colour })
    }
  const opaque = ({ colour }: { colour: number }) => colour >>> 24 === 255
  const sorted = [...found.filter(opaque), ...found.filter((one) => !opaque(one))]
  return {
    size,
    solid: found.filter(opaque).length,
    colours: Int32Array.from(sorted, (one) => one.colour),
    x: Int16Array.from(sorted, (one) => one.x),
    y: Int16Array.from(sorted, (one) => one.y),
    offsets: new Int32Array(sorted.length),
    across: 0,
  }
}

/** Put one with its corner at (left, top) onto a picture `across` wide and `down` high. */
export function stamp(into: Int32Array, across: number, down: number, left: number, top: number, one: Stencil): void {
  if (one.across !== across) {
    one.across = across
    for (let i = 0; i < one.offsets.length; i++) one.offsets[i] = one.y[i]! * across + one.x[i]!
  }
  const { size, solid, colours, offsets } = one
  const corner = top * across + left
  if (left >= 0 && top >= 0 && left + size <= across && top + size <= down) {
    for (let i = 0; i < solid; i++) into[corner + offsets[i]!] = colours[i]!
    for (let i = solid; i < colours.length; i++) {
      const at = corner + offsets[i]!
      into[at] = over(colours[i]!, into[at]!)
    }
    return
  }
  for (let i = 0; i < colours.length; i++) {
    const x = left + one.x[i]!
    const y = top + one.y[i]!
    if (x < 0 || y < 0 || x >= across || y >= down) continue
    const at = y * across + x
    into[at] = over(colours[i]!, into[at]!)
  }
}

/** Mixed into an opaque pixel; of two that are half there the fuller one. */
function over(above: number, below: number): number {
  const alpha = above >>> 24
  const under = below >>> 24
  if (alpha === 255 || under === 0) return above
  if (under !== 255) return alpha > under ? above : below
  const red = below & 0xff00ff // and blue
  const green = below & 0x00ff00
  const mixed = (red + ((((above & 0xff00ff) - red) * alpha) >> 8)) & 0xff00ff
  return 0xff000000 | mixed | ((green + ((((above & 0x00ff00) - green) * alpha) >> 8)) & 0x00ff00)
}
