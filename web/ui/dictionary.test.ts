import { describe, expect, it } from 'vitest'
import { type Dictionary, fill, type Language, translator } from './dictionary'

describe('translator', () => {
  const words = { hello: ['Chào {name}', 'Hello {name}'], bye: ['Tạm biệt', 'Bye'] } as const
  let language: Language = 'vi'
  const t = translator(words, () => language)

  it('speaks the language of the moment', () => {
    language = 'vi'
    expect(t('hello', { name: 'Lan' })).toBe('Chào Lan')
    language = 'en'
    expect(t('hello', { name: 'Lan' })).toBe('Hello Lan')
    expect(t('bye')).toBe('Bye')
  })

  it('does not compile with a wrong key or parameter', () => {
    // @ts-expect-error no such key
    expect(() => t('nothing')).toThrow()
    // @ts-expect-error the parameter is missing
    expect(t('hello')).toBe('Hello {name}')
  })

  it('leaves a name without a value to be seen', () => {
    expect(fill('{a} {b}', { a: 1 })).toBe('1 {b}')
  })

  it('has one word for 1 and another for every other number', () => {
    const said = (n: string | number) => fill('{n} {n|alarm|alarms}', { n })
    expect([said(1), said('1'), said(0), said(2), said('1,001')]).toEqual([
      '1 alarm',
      '1 alarm',
      '0 alarms',
      '2 alarms',
      '1,001 alarms',
    ])
    expect(fill('{n|alarm|alarms}', {})).toBe('{n|alarm|alarms}')
  })

  it('never puts a value through the pattern again', () => {
    expect(fill('{a}', { a: '{b}', b: 'x' })).toBe('{b}')
  })
})

/** Every file of words in the pages: a new page is covered without a line here. */
const files = import.meta.glob<Record<string, Dictionary>>(['./words.ts', '../*/words/*.ts', '!../*/words/index.ts'], {
  eager: true,
})

describe.each(Object.entries(files))('%s', (_, module) => {
  for (const dictionary of Object.values(module)) {
    it.each(Object.entries(dictionary))('%s has both languages with the same parameters', (_key, [vi, en]) => {
      const names = (text: string) => [...(text.match(/\{\w+\}/g) ?? [])].sort()
      expect(vi.trim().length * en.trim().length).toBeGreaterThan(0)
      expect(names(vi)).toEqual(names(en))
      expect(vi).not.toMatch(/vui lòng|!/i) // GUIDE: verb first, no please, no exclamation marks
    })
  }
})
