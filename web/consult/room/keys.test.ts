import { describe, expect, it } from 'vitest'
import { actionOf, KEYS } from './keys'

const press = (key: string, more: object = {}) =>
  actionOf({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, target: { tagName: 'BODY' }, ...more })

describe('the keyboard', () => {
  it('has one action a key', () => {
    expect(new Set(KEYS.map(({ key }) => key)).size).toBe(KEYS.length)
    expect(new Set(KEYS.map(({ action }) => action)).size).toBe(KEYS.length)
  })

  it('works with and without the shift that ? needs', () => {
    expect(press('m')).toBe('microphone')
    expect(press('M')).toBe('microphone')
    expect(press('?')).toBe('help')
    expect(press('q')).toBeNull()
  })

  it('keeps still while somebody types, and for the browser’s own shortcuts', () => {
    for (const target of [
      { tagName: 'TEXTAREA' },
      { tagName: 'INPUT', type: 'text' },
      { tagName: 'SELECT' },
      { isContentEditable: true },
    ])
      expect(press('x', { target })).toBeNull()
    expect(press('m', { target: { tagName: 'INPUT', type: 'checkbox' } })).toBe('microphone')
    for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { repeat: true }])
      expect(press('a', more)).toBeNull()
  })
})
