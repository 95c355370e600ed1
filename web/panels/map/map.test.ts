import { expect, it } from 'vitest'
import type { Alarm } from '../../wall/data/alarms'
import type { Thing } from '../../wall/data/types'
import { reading } from '../testing'
import { marked } from './marked'

const thing = (name: string, area: string | null, at: [number, number] | null = [105.8, 21.6]) =>
  ({ name, label: `Trạm ${name}`, area, location: at && { type: 'Point', coordinates: at } }) as Thing
const things = [thing('a', 'x'), thing('b', 'x'), thing('c', 'y'), thing('nowhere', 'y', null)]
const alarm = (of: string, priority: Alarm['priority'], state: Alarm['state']) => ({ thing: of, priority, state }) as Alarm // prettier-ignore

it('shows every placed device by how it does, with its gravest alarm', () => {
  const alarms = [alarm('a', 'low', 'unacknowledged'), alarm('a', 'high', 'acknowledged'), alarm('b', 'critical', 'shelved')] // prettier-ignore
  const { markers, fills } = marked(things, '', [], alarms, (name) => (name === 'c' ? 'late' : 'live'))
  expect(markers.map((one) => [one.thing, one.state, one.share])).toEqual([['a', 'live', null], ['b', 'live', null], ['c', 'late', null]]) // prettier-ignore
  expect(markers.map((one) => one.alarm)).toEqual([{ rank: 2, seen: true }, undefined, undefined])
  expect(fills.size).toBe(0)
})

it('shows the values of a property, and the middle one of each area', () => {
  const readings = [reading(1, 'a', 'p', { result: 0 }), reading(2, 'b', 'p', { result: 10 }), reading(3, 'c', 'p', { result: null })] // prettier-ignore
  const { markers, fills, low, high } = marked(things, 'p', readings, [], () => 'live')
  expect(markers.map((one) => [one.thing, one.share])).toEqual([['a', 0], ['b', 1]]) // prettier-ignore
  expect([...fills]).toEqual([['x', 0.5]])
  expect([low, high]).toEqual([0, 10])
})
