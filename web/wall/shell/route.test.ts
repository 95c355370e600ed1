import { describe, expect, it } from 'vitest'
import { format, parse } from './route'

describe('an address', () => {
  it.each([
    ['', { page: 'overview', item: null, options: {} }],
    ['#/', { page: 'overview', item: null, options: {} }],
    ['#/charts?s=1,2&range=24h', { page: 'charts', item: null, options: { s: '1,2', range: '24h' } }],
    ['#/devices/odd%2Fname%20%251', { page: 'devices', item: 'odd/name %1', options: {} }],
    ['#/devices/a/b', { page: 'devices', item: 'a/b', options: {} }],
    ['#/nowhere/x', { page: 'overview', item: null, options: {} }],
    ['#/devices/100%', { page: 'devices', item: '100%', options: {} }],
  ])('%s is read', (hash, expected) => {
    expect(parse(hash)).toEqual(expected)
  })

  it('is written as it is read', () => {
    for (const item of [null, 'aq-01', 'a/b?c#d&e=f', '100 %', 'Cầu Gia Bảy'])
      for (const options of [{}, { q: 'a&b=c', range: '6h@2026-10-08T07:00:00Z' }, { x: '+ %2B' }]) {
        const route = { page: 'devices' as const, item, options }
        expect(parse(format(route))).toEqual(route)
      }
  })

  it('leaves out what is not set', () => {
    expect(format({ page: 'charts', options: { s: '', range: '1h' } })).toBe('#/charts?range=1h')
  })
})
