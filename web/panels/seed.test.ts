import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { change, settle } from '../wall/pages/boards/layout'
import type { Definition } from '../wall/pages/boards/store'
import { read } from './contract'
import { panels } from './registry'

// What the first run brings along is written for the server: here it is held against the panels there are.
const file = join(import.meta.dirname, '../../tram/dashboards/seed.json')
const seed = JSON.parse(readFileSync(file, 'utf-8')) as Record<string, Definition>

it.each(Object.entries(seed))('the dashboard %s fits its panels and the grid', (_, { panels: items, labels }) => {
  expect(labels.vi && labels.en).toBeTruthy()
  for (const item of items) {
    const known = panels.get(item.panel)
    expect(known, item.panel).toBeDefined()
    const { settings, least } = known!.panel
    expect(read(settings, item.settings)).toMatchObject(item.settings)
    expect(item.w >= least.w && item.h >= least.h).toBe(true)
  }
  expect(change(items, items[0]!.id, {})).toEqual(settle(items))
  const byId = (list: Definition['panels']) => [...list].sort((a, b) => (a.id < b.id ? -1 : 1))
  expect(byId(settle(items))).toEqual(byId(items))
})
