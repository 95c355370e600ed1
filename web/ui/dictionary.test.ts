import { describe, expect, it } from 'vitest'
import { fill, type Language, translator } from './dictionary'
import { common } from './words'

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

  it('never puts a value through the pattern again', () => {
    expect(fill('{a}', { a: '{b}', b: 'x' })).toBe('{b}')
  })
})

describe('common words', () => {
  it('has both languages with the same parameters', () => {
    for (const [vi, en] of Object.values(common)) {
      expect(vi.length * en.length).toBeGreaterThan(0)
      expect(vi.match(/\{\w+\}/g)).toEqual(en.match(/\{\w+\}/g))
    }
  })
})
