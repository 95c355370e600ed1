import { describe, expect, it } from 'vitest'
import { type Place, change, nudge, ordered, overlap, room, rows, settle, stepped } from './layout'

const at = (id: string, x: number, y: number, w: number, h: number): Place => ({ id, x, y, w, h })
const show = (items: readonly Place[]) => ordered(items).map((one) => `${one.id}@${one.x},${one.y}+${one.w}x${one.h}`)
const clean = (items: readonly Place[]) => {
  const inside = items.every((one) => one.x >= 0 && one.y >= 0 && one.x + one.w <= 12)
  expect(inside && !items.some((one) => items.some((other) => overlap(one, other)))).toBe(true)
}
const two = [at('a', 0, 0, 6, 3), at('b', 0, 3, 6, 3)]

describe('panels on the grid', () => {
  it('fall upwards and never lie on each other', () => {
    expect(show(settle([at('a', 0, 5, 6, 3), at('b', 3, 9, 6, 2), at('c', 9, 4, 3, 1)]))).toEqual([
      'a@0,0+6x3',
      'c@9,0+3x1',
      'b@3,3+6x2',
    ])
    clean(settle([at('a', 0, 0, 6, 3), at('b', 3, 1, 6, 3), at('c', 0, 2, 12, 1)]))
  })

  it('change places when one is dragged over the other', () => {
    expect(show(change(two, 'a', { y: 3 }))).toEqual(['b@0,0+6x3', 'a@0,3+6x3'])
    expect(show(change(two, 'b', { y: 0 }))).toEqual(['b@0,0+6x3', 'a@0,3+6x3'])
    expect(show(change(two, 'a', { y: 1 }))).toEqual(show(two))
  })

  it('make room for one that grows, and stay inside', () => {
    expect(show(change(two, 'a', { h: 5, w: 99 }))).toEqual(['a@0,0+12x5', 'b@0,5+6x3'])
    expect(show(change(two, 'a', { w: 1, h: 1 }, { w: 2, h: 2 }))).toEqual(['a@0,0+2x2', 'b@0,2+6x3'])
    expect(show(change(two, 'a', { x: 99 }))).toEqual(['b@0,0+6x3', 'a@6,0+6x3'])
    expect(change(two, 'nobody', { x: 1 })).toEqual(two)
  })

  it('are moved by keys: down goes past the one below', () => {
    expect(show(nudge(two, 'a', 0, 1))).toEqual(['b@0,0+6x3', 'a@0,3+6x3'])
    expect(show(nudge(two, 'b', 0, -1))).toEqual(['b@0,0+6x3', 'a@0,3+6x3'])
    expect(show(nudge(two, 'a', 1, 0))).toEqual(['a@1,0+6x3', 'b@0,3+6x3'])
    expect(show(nudge(two, 'a', -1, 0))).toEqual(show(two))
  })

  it('find the first room', () => {
    expect(room(two, 6, 2)).toEqual({ x: 6, y: 0 })
    expect(room(two, 7, 2)).toEqual({ x: 0, y: 6 })
    expect(room([], 12, 1)).toEqual({ x: 0, y: 0 })
    expect(rows(two)).toBe(6)
  })

  it('are moved by buttons: the same steps, and one place where they stand one below the other', () => {
    const beside = [at('a', 0, 0, 6, 3), at('b', 6, 0, 6, 5), at('c', 0, 3, 6, 3)]
    expect(show(stepped(two, 'a', 'down'))).toEqual(show(nudge(two, 'a', 0, 1)))
    expect(show(stepped(two, 'a', 'wider'))).toEqual(show(change(two, 'a', { w: 7 })))
    expect(show(stepped(two, 'a', 'narrower', { w: 6, h: 1 }))).toEqual(show(two))
    expect(show(stepped(two, 'a', 'taller'))).toEqual(['a@0,0+6x4', 'b@0,4+6x3'])
    expect(show(stepped(beside, 'b', 'up', undefined, true))).toEqual(['b@0,0+6x5', 'a@6,0+6x3', 'c@0,5+6x3'])
    expect(show(stepped(beside, 'b', 'down', undefined, true)).map((one) => one[0])).toEqual(['a', 'c', 'b'])
    expect(show(stepped(beside, 'a', 'up', undefined, true))).toEqual(show(beside))
    expect(stepped(two, 'nobody', 'up', undefined, true)).toEqual(two)
  })

  it('stay apart through many changes', () => {
    // A small generator with a fixed seed: the same changes each time.
    let seed = 7
    const any = (n: number) => (seed = (seed * 48271) % 2147483647) % n
    let items = settle(Array.from({ length: 9 }, (_, i) => at(`p${i}`, any(9), any(9), 1 + any(6), 1 + any(6))).map((one) => ({ ...one, x: Math.min(one.x, 12 - one.w) }))) // prettier-ignore
    for (let i = 0; i < 200; i++) {
      const id = `p${any(9)}`
      const next = any(2) ? { x: any(14) - 1, y: any(30) } : { w: any(14), h: any(9) }
      items = change(items, id, next)
      clean(items)
      expect(settle(items)).toEqual(ordered(items))
    }
    // Any of them comes to the top, and to the end, by one button alone.
    for (const step of ['up', 'down'] as const)
      for (const one of items) {
        for (let n = 0; n < items.length; n++) items = stepped(items, one.id, step, undefined, true)
        clean(items)
        expect(ordered(items).at(step === 'up' ? 0 : -1)!.id).toBe(one.id)
      }
  })
})
