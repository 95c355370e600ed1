import { expect, it } from 'vitest'
import { type Picture, stamp } from './stamp'

const picture = (width: number, height: number, fill = 0): Picture => ({
  pixels: new Uint32Array(width * height).fill(fill),
  width,
  height,
})
const RED = 0xff0000ff
const WHITE = 0xffffffff

it('what is opaque covers, what is clear leaves, an edge mixes', () => {
  const target = picture(4, 1, WHITE)
  const source = { ...picture(3, 1), pixels: Uint32Array.of(RED, 0, 0x800000ff) }
  stamp(target, 1, 0, { ...source, height: 1 }, 0, 3)
  // As high as it is wide: the rows that the source has not are nothing.
  expect([...target.pixels].slice(0, 3)).toEqual([WHITE, RED, WHITE])
  const mixed = target.pixels[3]!
  expect(mixed >>> 24).toBe(255)
  expect(mixed & 255).toBeGreaterThan(250)
  expect((mixed >> 8) & 255).toBeGreaterThan(120)
  expect((mixed >> 8) & 255).toBeLessThan(132)
})

it('nothing is written beyond any edge, wherever it stands', () => {
  const source = picture(6, 3, RED)
  for (let left = -4; left <= 6; left++) {
    for (let top = -4; top <= 6; top++) {
      const target = picture(5, 5)
      stamp(target, left, top, source, 3, 3)
      for (let i = 0; i < 25; i++) {
        const [x, y] = [i % 5, Math.floor(i / 5)]
        const inside = x >= left && x < left + 3 && y >= top && y < top + 3
        expect(target.pixels[i]).toBe(inside ? RED : 0)
      }
    }
  }
})

it('on nothing an edge stays the edge it is, and a fainter one does not thin it', () => {
  const target = picture(1, 1)
  stamp(target, 0, 0, picture(1, 1, 0x800000ff), 0, 1)
  stamp(target, 0, 0, picture(1, 1, 0x40ff0000), 0, 1)
  expect(target.pixels[0]).toBe(0x800000ff)
})
