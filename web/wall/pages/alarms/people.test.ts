import { expect, test } from 'vitest'
import { meFirst } from './people.svelte'

test('oneself comes first, the others keep their order', () => {
  const an = { id: 'p:1', name: 'An' }
  const binh = { id: 'p:2', name: 'Bình' }
  const chi = { id: 'p:3', name: 'Chi' }
  expect(meFirst([an, binh, chi], 'p:3')).toEqual([chi, an, binh])
  expect(meFirst([an, binh], 'p:9')).toEqual([an, binh])
  expect(meFirst([an, binh], 'p:3', chi)).toEqual([chi, an, binh])
  expect(meFirst([an, binh, chi], 'p:3', chi)).toEqual([chi, an, binh])
})
