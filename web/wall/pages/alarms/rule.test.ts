import { expect, it } from 'vitest'
import {
  type Json,
  counted,
  faulty,
  formOf,
  idOf,
  newLeaf,
  newRule,
  propertiesOf,
  ruleOf,
  thresholds,
  typed,
} from './rule'

const full: Json = {
  id: 'river', vi: 'Nước', en: 'Water', enabled: true, scope: { kind: 'river', area: '19' }, quality: 'any',
  escalation: [{ after: '5m', to: 'role:city-admin' }],
  levels: [
    { priority: 'medium', vi: 'I', en: 'I', for: '1m', repeat: { times: 3, within: '5m' },
      when: { type: 'threshold', property: 'water_level', op: '>=', value: 25, deadband: 0.1 } },
    { priority: 'critical', vi: '', en: '',
      when: { type: 'any', of: [
        { type: 'rate', property: 'water_level', op: '>', value: 0.5, per: '1h', window: '30m', thing: 'r2' },
        { type: 'no-data', property: '*', after: '20m' },
        { type: 'schedule', days: ['mon'], start: '18:00', end: '06:00' },
        { type: 'compare', left: { property: 'a' }, right: { property: 'b' }, by: 'ratio', op: '>', value: 2 },
        { type: 'all', of: [{ type: 'geofence', on: 'inside', area: '19' }] },
      ] } },
  ],
} // prettier-ignore

it('what the form shows and what it does not come back as they were', () => {
  expect(ruleOf(formOf(full))).toEqual(full)
  expect(formOf(full).levels[1]!.leaves.map((one) => one.kind)).toEqual([
    'rate',
    'no-data',
    'schedule',
    'other',
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

it('what is no rule at all is an empty form', () => {
  for (const odd of [{}, { levels: 'x', scope: 3 }, { levels: [null, 1] }] as Json[])
    expect(() => ruleOf(formOf(odd))).not.toThrow()
})

it('an id from a name', () => {
  expect(idOf('PM2.5 cao ở Phổ Yên, đêm!')).toBe('pm2-5-cao-o-pho-yen-dem')
})

it('where a fault is', () => {
  expect(faulty('$.levels[1].when.of[2].value: a finite number')).toEqual({ level: 1, leaf: 2 })
  expect(faulty('$.levels[0].vi: x')).toEqual({ level: 0, leaf: null })
  expect(faulty('$.scope: x')).toBeNull()
})

it('what it looks at', () => {
  expect(thresholds(full)).toEqual([{ property: 'water_level', thing: '', value: 25, priority: 'medium' }])
  expect(propertiesOf(full)).toEqual(['water_level', 'a', 'b'])
})

it('who fired how often', () => {
  const fired = ['a', 'b', 'b'].map((thing) => ({ thing, label: thing === 'a' ? 'Trạm A' : '' }))
  expect(counted(fired)).toEqual([
    { thing: 'b', label: 'b', n: 2 },
    { thing: 'a', label: 'Trạm A', n: 1 },
  ])
})
