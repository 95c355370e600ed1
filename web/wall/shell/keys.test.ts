import { describe, expect, it } from 'vitest'
import { command, step } from './keys'

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  command({ key, ctrlKey: false, metaKey: false, altKey: false, target: null, ...more })

describe('a key', () => {
  it('does what the list of shortcuts says', () => {
    expect(press('k', { ctrlKey: true })?.name).toBe('palette')
    expect(press('K', { metaKey: true })?.name).toBe('palette')
    expect(press('/')?.name).toBe('palette')
    expect(press('?')?.name).toBe('help')
    expect(press('p')?.name).toBe('pause')
    expect(press('3')).toEqual({ name: 'page', index: 2 })
    expect(press('x')).toBeNull()
    expect(press('p', { ctrlKey: true })).toBeNull()
  })

  it('is a letter where somebody types, but Ctrl-K still works', () => {
    const target = { tagName: 'INPUT' } as unknown as EventTarget
    expect(press('p', { target })).toBeNull()
    expect(press('/', { target })).toBeNull()
    expect(press('k', { target, ctrlKey: true })?.name).toBe('palette')
  })
})

describe('in a list', () => {
  it.each([
    ['j', -1, 3, 0],
    ['j', 2, 3, 2],
    ['k', 1, 3, 0],
    ['k', -1, 3, 0],
    ['End', 0, 3, 2],
    ['x', 0, 3, null],
    ['j', 0, 0, null],
  ])('%s from %i of %i', (key, at, length, to) => {
    expect(step(key, at, length)).toBe(to)
  })
})
