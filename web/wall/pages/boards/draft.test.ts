import { expect, it } from 'vitest'
import { begin, fresh, redo, step, undo } from './draft'
import type { Definition } from './store'

const named = (vi: string, ids: string[] = []): Definition => ({
  labels: { vi, en: '' },
  panels: ids.map((id) => ({ id, panel: 'value', title: '', settings: {}, x: 0, y: 0, w: 1, h: 1 })),
})

it('every step can be taken back and taken again', () => {
  let draft = begin(named('một'), 3)
  draft = step(draft, named('hai'))
  draft = step(draft, named('hai')) // nothing changed
  draft = step(draft, named('ba'))
  expect(undo(undo(undo(draft))).now).toEqual(named('một'))
  expect(redo(redo(undo(undo(draft)))).now).toEqual(named('ba'))
  const other = step(undo(draft), named('bốn'))
  expect(redo(other)).toBe(other) // another way was taken
  expect(other.version).toBe(3)
})

it('steps of one kind in a row are one step back', () => {
  let draft = step(begin(named('a'), 0), named('ab'))
  draft = step(draft, named('abc'), true)
  draft = step(draft, named('abcd'), true)
  expect(undo(draft).now).toEqual(named('a'))
})

it('a new panel has an id of its own', () => {
  expect(fresh(named('x'), 'value')).toBe('value-1')
  expect(fresh(named('x', ['value-3', 'value-2']), 'value')).toBe('value-4')
})
