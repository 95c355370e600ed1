import { expect, it } from 'vitest'
import { read } from '../contract'
import definition from './panel'

it('is of the station that is nearest its alarm level, and of a day, unless somebody wants another', () => {
  expect(read(definition.settings, {})).toEqual({ things: [], hours: 24 })
  expect(read(definition.settings, { things: ['a', 'b'], hours: 1e6 })).toEqual({ things: ['a'], hours: 168 })
})
