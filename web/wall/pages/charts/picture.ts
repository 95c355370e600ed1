/** The charts as one picture: titles with units, what is drawn, notes, the time in +07 and where the numbers are from. */
import { type Ink, series } from '../../parts/ink.svelte'

export interface Shot {
  canvas: HTMLCanvasElement
  title: string
  /** What was read: raw values, means. */
  used: string
  legend: { label: string; colour: number; faint: boolean }[]
}

export interface Around {
  heading: string
  /** Lines below: numbered notes, then the time and the source. */
  lines: string[]
  ink: Ink
}

const PAD = 24
const ROW = 20

/** A canvas at the charts' own resolution. */
export function picture(shots: readonly Shot[], { heading, lines, ink }: Around): HTMLCanvasElement {
  const scale = Math.max(1, ...shots.map(({ canvas }) => canvas.width / Math.max(1, canvas.clientWidth)))
  const width = Math.max(640, ...shots.map(({ canvas }) => canvas.width / scale)) + 2 * PAD
  const made = document.createElement('canvas')
  const pen = made.getContext('2d')!
  const font = (size: number, weight = 400) => `${weight} ${size}px ${ink.font}`
  pen.font = font(12)
  const legends = shots.map((shot) => rows(shot, width - 2 * PAD, pen))
  const wrapped = lines.flatMap((line) => wrap(line, width - 2 * PAD, pen))
  const height =
    PAD + 30 + shots.reduce((sum, shot, i) => sum + 34 + legends[i]!.length * ROW + shot.canvas.height / scale + 14, 0) + wrapped.length * 18 + PAD // prettier-ignore
  made.width = Math.round(width * scale)
  made.height = Math.round(height * scale)
  pen.scale(scale, scale)
  pen.fillStyle = ink.surface
  pen.fillRect(0, 0, width, height)
  pen.textBaseline = 'alphabetic'
  const write = (text: string, x: number, y: number, style: string, colour: string) => {
    pen.font = style
    pen.fillStyle = colour
    pen.fillText(text, x, y)
    return pen.measureText(text).width
  }
  let y = PAD + 14
  write(heading, PAD, y, font(18, 600), ink.text)
  y += 16
  shots.forEach((shot, i) => {
    y += 22
    const used = write(shot.title, PAD, y, font(14, 600), ink.text)
    write(shot.used, PAD + used + 12, y, font(12), ink['text-3'])
    y += 12
    for (const row of legends[i]!) {
      let x = PAD
      for (const one of row) {
        const look = series(one.colour, ink)
        pen.globalAlpha = one.faint ? 0.5 : 1
        pen.fillStyle = look.stroke
        pen.fillRect(x, y + 6, 14, 3)
        pen.globalAlpha = 1
        x += 20
        x += write(one.label, x, y + 12, font(12), ink['text-2']) + 18
      }
      y += ROW
    }
    pen.drawImage(shot.canvas, PAD, y, shot.canvas.width / scale, shot.canvas.height / scale)
    y += shot.canvas.height / scale + 14
  })
  for (const line of wrapped) {
    write(line, PAD, y + 12, font(12), ink['text-2'])
    y += 18
  }
  return made
}

function rows({ legend }: Shot, width: number, pen: CanvasRenderingContext2D): Shot['legend'][] {
  const found: Shot['legend'][] = [[]]
  let x = 0
  for (const one of legend) {
    const needs = pen.measureText(one.label).width + 38
    if (x > 0 && x + needs > width) {
      found.push([])
      x = 0
    }
    found.at(-1)!.push(one)
    x += needs
  }
  return found
}

function wrap(text: string, width: number, pen: CanvasRenderingContext2D): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && pen.measureText(`${line} ${word}`).width > width) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line]
}

export function savePicture(name: string, canvas: HTMLCanvasElement): Promise<void> {
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => {
      if (!blob) return fail(new Error('PNG'))
      const url = URL.createObjectURL(blob)
      const link = document.createElement('a')
      link.href = url
      link.download = name
      link.click()
      setTimeout(() => URL.revokeObjectURL(url), 10_000)
      done()
    }, 'image/png'),
  )
}
