import { expect, it } from 'vitest'
import { type Json, faulty, formOf, idOf, newGroup, newLeaf, newRule, ruleOf, typed } from './rule'
import { full } from './testing'

it('everything that a rule may say comes back as it was, and what nobody knows yet', () => {
  expect(ruleOf(formOf(full))).toEqual(full)
  expect(formOf(full).levels[1]!.leaves.map((one) => one.kind)).toEqual([
    'rate',
    'no-data',
    'schedule',
    'compare',
    'group',
    'other',
  ])
})

it('a rule of everything, and numbers with a comma', () => {
  const form = newRule()
  form.levels[0]!.leaves = [{ ...newLeaf('threshold', 'pm2_5'), value: '80,5' }]
  const rule = ruleOf(form)
  expect(rule.scope).toEqual({ all: true })
  expect(rule.levels).toEqual([
    { priority: 'medium', vi: '', en: '', when: { type: 'threshold', property: 'pm2_5', op: '>', value: 80.5 } },
  ])
  expect([typed(' 1 000,5 '), typed('-3'), typed('x'), typed('')]).toEqual([1000.5, -3, 'x', ''])
})

it('two Datastreams compared, a polygon, a group and a level that takes several readings', () => {
  const form = newRule()
  const level = form.levels[0]!
  Object.assign(level, { times: '3', within: '5m' })
  level.leaves = [
    { ...newLeaf('compare', 'water_level'), thing: 'up', by: 'ratio', value: '1,5' },
    { ...newLeaf('geofence'), on: 'leave', fence: 'corners', corners: '21, 105\n21, 106\n22, 106' },
    newGroup('all', 'rain'),
  ]
  const [made] = ruleOf(form).levels as Json[]
  expect(made!.repeat).toEqual({ times: 3, within: '5m' })
  const rain = { type: 'threshold', property: 'rain', op: '>', value: '' }
  expect(made!.when).toEqual({ type: 'all', of: [
    { type: 'compare', left: { property: 'water_level', thing: 'up' }, right: { property: 'water_level' }, by: 'ratio', op: '>', value: 1.5 },
    { type: 'geofence', on: 'leave', polygon: { type: 'Polygon', coordinates: [[[105, 21], [106, 21], [106, 22], [105, 21]]] } },
    { type: 'any', of: [rain, rain] },
  ] }) // prettier-ignore
})

it('what is no rule at all is an empty form', () => {
  for (const odd of [{}, { levels: 'x', scope: 3 }, { levels: [null, 1] }] as Json[])
    expect(() => ruleOf(formOf(odd))).not.toThrow()
})

it('an id from a name', () => {
  expect(idOf('PM2.5 cao ở Phổ Yên, đêm!')).toBe('pm2-5-cao-o-pho-yen-dem')
})

it('where a fault is', () => {
  expect(faulty('$.levels[1].when.of[2].value: a finite number')).toEqual({ level: 1, path: [2] })
  expect(faulty('$.levels[1].when.of[2].of[0].polygon: x')).toEqual({ level: 1, path: [2, 0] })
  expect(faulty('$.levels[0].when.value: x')).toEqual({ level: 0, path: [] })
  expect(faulty('$.levels[0].vi: x')).toEqual({ level: 0, path: null })
  expect(faulty('$.scope: x')).toBeNull()
})
