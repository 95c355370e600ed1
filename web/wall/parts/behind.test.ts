import { expect, it } from 'vitest'
import { beside, including, told, within } from './behind'

it('a chart shows its limits too', () => {
  expect(including(1, 2, [])).toEqual([1, 2])
  expect(including(1, 2, [{ value: 5, tone: 'p1' }])).toEqual([1, 5])
  expect(
    including(null, null, [
      { value: 5, tone: 'p1' },
      { value: NaN, tone: 'p2' },
    ]),
  ).toEqual([5, 5])
})

it('what a span says is told at it, and a little beside it', () => {
  const note = { from: 10, to: 20, tone: 'accent' as const, flag: '1', text: 'note' }
  const all = [note, { from: 0, to: 50, tone: 'p1' as const }]
  expect([5, 8, 15, 22, 23].map((at) => told(all, at, 2).length)).toEqual([0, 1, 1, 1, 0])
})

it('a span is cut at the edges and never too thin to see', () => {
  expect(within(-10, 5, 0, 100, 2)).toEqual([0, 5])
  expect(within(50, 50, 0, 100, 2)).toEqual([50, 52])
  expect(within(-10, -1, 0, 100, 2)).toBeNull()
  expect(within(101, 200, 0, 100, 2)).toBeNull()
})

it('words on lines that are near each other stand side by side, and not where there is no room', () => {
  const word = (y: number) => ({ y, width: 40 })
  expect(beside([word(10), word(50)], 0, 200, 16, 10)).toEqual([0, 0])
  expect(beside([word(10), word(20), word(15)], 0, 200, 16, 10)).toEqual([0, 50, 100])
  expect(beside([word(10), word(20), word(60)], 0, 80, 16, 10)).toEqual([0, null, 0])
})
