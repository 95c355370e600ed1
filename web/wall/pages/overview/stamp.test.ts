import { expect, it } from 'vitest'
import { stamp, stencil } from './stamp'

const RED = 0xff0000ff | 0
const HALF = 0x800000ff | 0
const WHITE = -1
const all = (size: number, colour: number) => stencil(new Int32Array(size * size).fill(colour), size, 0, size)

it('what is opaque covers, what is clear leaves, an edge mixes', () => {
  const target = new Int32Array(9).fill(WHITE)
  const sheet = Int32Array.of(WHITE, RED, 0, WHITE, HALF, 0) // two rows of three; its last two columns are the picture
  stamp(target, 3, 3, 1, 1, stencil(sheet, 3, 1, 2))
  expect([...target]).toEqual([WHITE, WHITE, WHITE, WHITE, RED, WHITE, WHITE, expect.any(Number), WHITE])
  const mixed = target[7]!
  expect(mixed >>> 24).toBe(255)
  expect(mixed & 255).toBeGreaterThan(250)
  expect((mixed >> 8) & 255).toBeGreaterThan(120)
  expect((mixed >> 8) & 255).toBeLessThan(132)
})

it('nothing is written beyond any edge, wherever it stands, and on pictures of another width', () => {
  const picture = all(3, RED)
  for (const across of [5, 7]) {
    for (let left = -4; left <= 8; left++) {
      for (let top = -4; top <= 6; top++) {
        const target = new Int32Array(across * 5)
        stamp(target, across, 5, left, top, picture)
        target.forEach((colour, i) => {
          const [x, y] = [i % across, Math.floor(i / across)]
          const inside = x >= left && x < left + 3 && y >= top && y < top + 3
          expect(colour).toBe(inside ? RED : 0)
        })
      }
    }
  }
})

it('on nothing an edge stays the edge it is, and a fainter one does not thin it', () => {
  const target = new Int32Array(1)
  stamp(target, 1, 1, 0, 0, all(1, HALF))
  stamp(target, 1, 1, 0, 0, all(1, 0x40ff0000))
  expect(target[0]).toBe(HALF)
})
