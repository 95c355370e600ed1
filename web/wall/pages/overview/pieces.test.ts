import { expect, it } from 'vitest'
import { panels } from '../../../panels/registry'
import { pieces } from './pieces'

it('finds the panels of services that ask for it, charts first', () => {
  const found = pieces([
    { name: 'list', panel: { service: 'rain', overview: { weight: 1 } } },
    { name: 'zz-chart', panel: { service: 'rain', overview: { weight: 2, roomy: true } } },
    { name: 'other', panel: { service: 'rain' } },
    { name: 'nobody', panel: { overview: { weight: 1 } } },
  ])
  expect([...found]).toEqual([['rain', [{ name: 'zz-chart', weight: 2, roomy: true }, { name: 'list', weight: 1, roomy: false }]]]) // prettier-ignore
})

it('has something of every service that has panels', () => {
  const services = new Set([...panels.values()].flatMap(({ panel }) => panel.service ?? []))
  expect([...pieces(panels.values()).keys()].sort()).toEqual([...services].sort())
})
