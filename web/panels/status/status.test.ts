import { expect, it } from 'vitest'
import { type Cell, grouped } from './cells'

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
