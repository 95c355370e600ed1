import { describe, expect, it } from 'vitest'
import { byFolder, offered, parts } from './discovery'
import type { CityService } from './types'

const load = () => Promise.reject(new Error('never loaded here'))
const service = (name: string): CityService => ({ name, labels: { vi: name, en: name }, properties: [], panels: [] })

describe('the pages of city services', () => {
  const pages = byFolder({ '../../services/one/Page.svelte': load, '../../services/two/Page.svelte': load })

  it('are found by their folders', () => {
    expect([...pages.keys()]).toEqual(['one', 'two'])
  })

  it('are offered where the server has the service and the folder is there', () => {
    expect(offered([service('one'), service('other')], pages).map((it) => it.name)).toEqual(['one'])
    expect(offered([], pages)).toEqual([])
    expect(offered([service('one')], byFolder({}))).toEqual([])
  })

  it('know what was picked', () => {
    expect(parts(null)).toEqual({ service: '', item: null })
    expect(parts('air')).toEqual({ service: 'air', item: null })
    expect(parts('air/odd/name')).toEqual({ service: 'air', item: 'odd/name' })
  })
})
