import { expect, it } from 'vitest'
import { read } from '../contract'
import definition from './panel'

it('shows twenty rows unless somebody wants more or fewer, within bounds', () => {
  expect([{}, { most: 5 }, { most: 0 }, { most: 1e9 }].map((one) => read(definition.settings, one).most)).toEqual([20, 5, 1, 200]) // prettier-ignore
})
