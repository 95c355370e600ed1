import { expect, it } from 'vitest'
import { fact } from './facts'

const told = (key: string, value: unknown) => fact(key, value, (word) => `<${word}>`, (n) => `n${n}`, (code) => code) // prettier-ignore

it('known names and yes and no have words', () => {
  expect(told('simulated', true)).toEqual(['<prop_simulated>', '<prop_yes>'])
  expect(told('alarm_levels', [25, 26.5])).toEqual(['<prop_levels>', 'n25 · n26.5 m'])
  expect(told('period_seconds', 300)).toEqual(['<prop_period>', 'n300 s'])
})

it('the rest stays as its owner wrote it', () => {
  expect(told('Serial No', 'A-1')).toEqual(['Serial No', 'A-1'])
  expect(told('toString', { a: 1 })).toEqual(['toString', '{"a":1}'])
  expect(told('parts', [{ a: 1 }])).toEqual(['parts', '[{"a":1}]'])
  expect(told('wired', false)).toEqual(['wired', '<prop_no>'])
  expect(told('empty', null)).toEqual(['empty', 'null'])
})
