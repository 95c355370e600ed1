import { describe, expect, it } from 'vitest'
import type * as hub from '../../live/messages'
import type { Alarm } from './alarms'
import { alarmFromHub, asOf, flags, fromApi, fromHub, ungrouped } from './convert'

const thing: hub.Thing = {
  id: 7, name: 'aq-01', label: 'Trạm A', kind: 'air', area: '05860', location: null,
  streams: [{ id: 3, property: 'pm2_5', unit: 'ug/m3' }],
} // prettier-ignore

describe('a value of the hub', () => {
  it('is what the API would answer', () => {
    const time = '2026-11-22T08:00:00.250Z'
    const value = fromHub(thing, thing.streams[0]!, { time: Date.parse(time) * 1000, result: 12.5, quality: 257 })
    const { datastream, thing: name, label, property, unit, time: at, result, quality } = value
    const api = { datastream, thing: name, label, property, unit, time: at, result, value: null, quality, flags: value.flags } // prettier-ignore
    expect(api).toEqual({
      datastream: 3, thing: 'aq-01', label: 'Trạm A', property: 'pm2_5', unit: 'ug/m3', time, result: 12.5, value: null,
      quality: 257, flags: ['clock', 'late'],
    }) // prettier-ignore
    expect(fromApi(api).at).toBe(value.at)
  })

  it('that is no number is kept as it is', () => {
    const value = fromHub(thing, thing.streams[0]!, { time: 0, result: { gate: 'open' }, quality: 0 })
    expect([value.result, value.value, value.flags]).toEqual([null, { gate: 'open' }, []])
  })

  it('has the names of the bits of its quality', () => {
    expect(flags(0)).toEqual([])
    expect(flags(1 + 2 + 4 + 8 + 16)).toEqual(['clock', 'range', 'stuck', 'unit', 'undefined'])
    expect(flags(512 + 1024)).toEqual(['estimated', 'corrected'])
  })
})

const alarm = (id: number, more: Partial<Alarm> = {}): Alarm =>
  ({ id, kind: 'alarm', state: 'unacknowledged', priority: 'low', raised: '2026-11-22T08:00:00Z', storm: null,
     acknowledged: null, returned: null, closed: null, active: true, ...more }) as Alarm // prettier-ignore

it('an alarm of the hub has the words of the API', () => {
  const told = { id: 4, kind: 'alarm', priority: 4, vi: 'Nước cao', en: 'High water', state: 'shelved' } as hub.Alarm
  expect(alarmFromHub(told)).toMatchObject({
    id: 4,
    priority: 'critical',
    message: { vi: 'Nước cao', en: 'High water' },
    state: 'shelved',
  })
  expect(alarmFromHub({ ...told, priority: 1 }).priority).toBe('low')
})

it("a storm's entry stands for its members while it stands", () => {
  const list = [alarm(1, { kind: 'storm' }), alarm(2, { storm: 1 }), alarm(3, { storm: 9 }), alarm(4)]
  expect(ungrouped(list).map((one) => one.id)).toEqual([1, 3, 4])
})

it('an alarm looked back at stands as it stood', () => {
  const at = (time: string) => Date.parse(`2026-11-22T${time}Z`)
  const one = alarm(1, {
    state: 'normal', active: false, acknowledged: '2026-11-22T08:10:00Z', returned: '2026-11-22T08:20:00Z',
    closed: '2026-11-22T08:20:00Z',
  }) // prettier-ignore
  expect(asOf(one, at('07:59:00'))).toBeNull()
  expect(asOf(one, at('08:05:00'))).toMatchObject({ state: 'unacknowledged', active: true })
  expect(asOf(one, at('08:15:00'))).toMatchObject({ state: 'acknowledged', active: true, returned: null })
  expect(asOf(one, at('08:20:00'))).toBeNull()
  const unseen = alarm(2, { returned: '2026-11-22T08:20:00Z' })
  expect(asOf(unseen, at('08:30:00'))).toMatchObject({ state: 'returned-unacknowledged', active: false })
})
