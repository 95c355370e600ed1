import { expect, it } from 'vitest'
import { type Cell, grouped, side } from './cells'

const cell = (label: string, group: string, more: Partial<Cell> = {}): Cell => ({
  thing: label,
  label,
  group,
  doing: 'live',
  alarm: 0,
  ...more,
})

it('what needs somebody comes first, in its group and among the groups', () => {
  const found = grouped([
    cell('b', 'air'),
    cell('a', 'air', { doing: 'late' }),
    cell('c', 'rain', { alarm: 2 }),
    cell('d', 'rain', { alarm: 1, doing: 'late' }),
    cell('e', 'noise', { doing: 'never' }),
  ])
  expect(found.map((one) => [one.name, one.cells.map((c) => c.label).join(''), one.live])).toEqual([
    ['rain', 'dc', 1],
    ['air', 'ab', 1],
    ['noise', 'e', 0],
  ])
})

it('cells are as large as all of them fit', () => {
  const groups = (...counts: number[]) => counts.map((n) => ({ name: 'x', cells: Array.from({ length: n }) }))
  expect(side(groups(10), 300, 200)).toBe(26)
  expect(side(groups(92, 92, 90, 92, 60), 280, 220)).toBeLessThan(10)
  expect(side(groups(9000), 100, 50)).toBe(6)
  const px = side(groups(92, 92), 280, 220)
  const across = Math.floor(283 / (px + 3))
  expect(2 * (20 + Math.ceil(92 / across) * (px + 3) + 1)).toBeLessThanOrEqual(220)
})
