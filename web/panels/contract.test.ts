import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COLUMNS, type Field, HIGHEST, read, usual } from './contract'
import { panels } from './registry'

const here = import.meta.dirname
const folders = readdirSync(here, { withFileTypes: true }).filter((one) => one.isDirectory()).map((one) => one.name) // prettier-ignore
const KINDS: Record<Field['kind'], unknown[]> = {
  text: ['x'.repeat(100_000), 7, null],
  number: [Infinity, -1e300, 1e300, '7', null],
  choice: ['no such choice', 7],
  switch: ['true', 1],
  streams: ['a', [1, null, 'a@b'], Array.from({ length: 500 }, (_, i) => `p@t${i}`)],
  things: [{}, Array.from({ length: 500 }, (_, i) => `t${i}`)],
  property: [7, ['x']],
  area: [7, null],
  levels: ['1', [3, 'x', 1, NaN]],
}

function words(phrase: readonly [string, string]) {
  expect(phrase).toHaveLength(2)
  for (const one of phrase) expect(one.trim()).toMatch(/\S/)
}

it('every folder is a panel, and every panel is found', () => {
  expect([...panels.keys()].sort()).toEqual([...folders].sort())
  expect(folders.length).toBeGreaterThan(1)
})

describe.each(folders)('panel %s', (name) => {
  const known = panels.get(name)!

  it('has its view and a test of its own', () => {
    expect(name).toMatch(/^[a-z][a-z0-9-]{0,39}$/)
    expect(existsSync(join(here, name, 'Panel.svelte'))).toBe(true)
    expect(readdirSync(join(here, name)).some((file) => file.endsWith('.test.ts'))).toBe(true)
    expect(known.view).toBeTypeOf('function')
  })

  it('says in both languages what it is', () => {
    words(known.panel.label)
    words(known.panel.about)
    expect(known.panel.icon).toBeTypeOf('function')
  })

  it('fits the grid', () => {
    const { size, least } = known.panel
    for (const one of [size.w, size.h, least.w, least.h]) expect(Number.isInteger(one) && one > 0).toBe(true)
    expect(least.w).toBeLessThanOrEqual(size.w)
    expect(least.h).toBeLessThanOrEqual(size.h)
    expect(size.w).toBeLessThanOrEqual(COLUMNS)
    expect(size.h).toBeLessThanOrEqual(HIGHEST)
  })

  it('has settings that a form can ask for and a store can hold', () => {
    for (const [key, field] of Object.entries(known.panel.settings)) {
      words(field.label)
      if (field.hint) words(field.hint)
      // The server finds what a dashboard shows by these two names.
      if (field.kind === 'streams' || field.kind === 'things') expect(key).toBe(field.kind)
      else expect(['streams', 'things']).not.toContain(key)
      if (field.kind === 'choice') {
        const values = field.options.map((one) => one.value)
        expect(new Set(values).size).toBe(values.length)
        expect(values).toContain(field.value)
        field.options.forEach((one) => words(one.label))
      }
      expect(JSON.parse(JSON.stringify(usual(field)))).toEqual(usual(field))
    }
  })

  it('opens with whatever is stored', () => {
    const { settings } = known.panel
    const first = read(settings, {})
    expect(read(settings, first)).toEqual(first)
    for (const [key, field] of Object.entries(settings))
      for (const odd of KINDS[field.kind]) {
        const found = read(settings, { [key]: odd, unknown: 1 })
        expect(Object.keys(found)).toEqual(Object.keys(settings))
        expect(read(settings, found)).toEqual(found) // what was made to fit fits
      }
  })
})
