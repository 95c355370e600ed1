/** Where on a box a point of the picture in it is. */

/** px from the box's left and top of the fractions `x`, `y` of a picture that covers the box, or is contained in it. */
export function place(
  box: { width: number; height: number },
  picture: { width: number; height: number },
  fit: 'cover' | 'contain',
  x: number,
  y: number,
): { left: number; top: number } {
  const scale = (fit === 'contain' ? Math.min : Math.max)(box.width / picture.width, box.height / picture.height)
  const px = (part: number, size: number, full: number) => (size - full * scale) / 2 + part * full * scale
  return { left: px(x, box.width, picture.width), top: px(y, box.height, picture.height) }
}
