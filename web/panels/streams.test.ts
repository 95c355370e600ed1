import { describe, expect, it } from 'vitest'
import { chosen, find, fold, name } from './streams'
import { reading } from './testing'

const all = [
  reading(3, 'wl-01', 'level', { label: 'Gia Bảy' }),
  reading(9, 'wl-01', 'level', { label: 'Gia Bảy' }), // calculated beside measured
  reading(4, 'odd/name #7 @x', 'level', { label: 'Ắc' }),
  reading(5, 'aq-01', 'pm2_5'),
]

describe('the name of a Datastream', () => {
  it('leads back to it, also where a Thing has the property twice', () => {
    for (const one of all) expect(find(name(one, all), all)).toBe(one)
    expect(name(all[0]!, all)).toBe('level@wl-01')
    expect(name(all[1]!, all)).toBe('level@wl-01#9')
  })

  it('that leads nowhere is none', () => {
    for (const odd of ['', '@', 'level', 'level@', 'level@wl-02', 'level@wl-01#5', 'pm2_5@wl-01'])
      expect(find(odd, all)).toBeUndefined()
  })
})

describe('what a panel is about', () => {
  const areaOf = (thing: string) => (thing === 'wl-01' ? '05482' : null)
  it('is the chosen ones in their order, else all of the property, in the area', () => {
    const ids = (source: { streams?: string[]; property?: string; area?: string }) =>
      chosen({ streams: [], property: '', area: '', ...source }, all, areaOf).map((one) => one.datastream)
    expect(ids({ streams: ['pm2_5@aq-01', 'gone@x', 'level@wl-01'], property: 'level' })).toEqual([5, 3])
    expect(ids({ property: 'level' })).toEqual([4, 3, 9])
    expect(ids({ property: 'level', area: '05482' })).toEqual([3, 9])
    expect(ids({})).toEqual([])
  })
})

it('many values are folded into one', () => {
  const values = [4, 1, 3, 8]
  const found = (['highest', 'lowest', 'middle', 'mean', 'sum'] as const).map((how) => fold(values, how))
  expect(found).toEqual([8, 1, 3.5, 4, 16])
  expect(fold([], 'sum')).toBeNull()
})
