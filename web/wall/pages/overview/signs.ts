/** What is drawn over few markers: the sign of an alarm, the ring of what was chosen, the name of what is pointed at. */
import type { Ink } from '../../parts/ink.svelte'
import type { Marker } from './markers'

type Pen = CanvasRenderingContext2D

/** The shape of a priority with its digit: octagon, triangle, diamond, circle; a ring while nobody has seen it. */
export function sign(pen: Pen, x: number, y: number, { rank, seen }: NonNullable<Marker['alarm']>, ink: Ink): void {
  const colour = ink[`p${rank}`]
  if (!seen) {
    pen.beginPath()
    pen.arc(x, y, 15, 0, 2 * Math.PI)
    pen.strokeStyle = colour
    pen.lineWidth = 1.6
    pen.stroke()
  }
  const corners = [8, 3, 4, 24][rank - 1]!
  const turn = [Math.PI / 8, -Math.PI / 2, 0, 0][rank - 1]!
  pen.beginPath()
  for (let i = 0; i < corners; i++) {
    const angle = turn + (i * 2 * Math.PI) / corners
    pen.lineTo(x + 9.5 * Math.cos(angle), y + 9.5 * Math.sin(angle) + (rank === 2 ? 1.5 : 0))
  }
  pen.closePath()
  pen.fillStyle = seen ? ink.surface : colour
  pen.fill()
  pen.strokeStyle = seen ? colour : ink.surface
  pen.lineWidth = seen ? 1.8 : 1
  pen.stroke()
  pen.fillStyle = seen ? colour : ink[`p${rank}-on`]
  pen.font = `600 10px ${ink.font}`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(String(rank), x, y + (rank === 2 ? 2.5 : 0.5))
}

export function chosen(pen: Pen, x: number, y: number, radius: number, ink: Ink): void {
  pen.beginPath()
  pen.arc(x, y, radius + 6, 0, 2 * Math.PI)
  pen.lineWidth = 2
  pen.strokeStyle = ink.text
  pen.stroke()
}

export function name(pen: Pen, x: number, y: number, text: string, ink: Ink): void {
  pen.font = `500 12px ${ink.font}`
  pen.textAlign = 'left'
  pen.textBaseline = 'middle'
  const wide = pen.measureText(text).width + 12
  const left = x + 14 + wide > pen.canvas.clientWidth ? x - 14 - wide : x + 14
  pen.beginPath()
  pen.roundRect(left, y - 11, wide, 22, 4)
  pen.fillStyle = ink.surface
  pen.fill()
  pen.strokeStyle = ink['line-strong']
  pen.lineWidth = 1
  pen.stroke()
  pen.fillStyle = ink.text
  pen.fillText(text, left + 6, y + 0.5)
}

export function cross(pen: Pen, x: number, y: number, ink: Ink): void {
  pen.beginPath()
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
    pen.moveTo(x + 4 * dx, y + 4 * dy)
    pen.lineTo(x + 13 * dx, y + 13 * dy)
  } // prettier-ignore
  pen.strokeStyle = ink.text
  pen.lineWidth = 2
  pen.stroke()
}
