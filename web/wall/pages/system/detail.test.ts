import { expect, test } from 'vitest'
import { type Say, detailed } from './detail'

const say: Say = (word, values) => `${word}${Object.keys(values).length ? ` ${Object.values(values).join(' ')}` : ''}`

test('what is known is said in words, numbers as numbers are written', () => {
  expect(detailed({ role: 'leader', rules: 1234 }, say, (n) => `${n / 1000}k`)).toEqual([
    'pd_leader',
    'pd_rules 1.234k',
  ])
})

test('faults come first, cleaning is one sum, empty lists say nothing', () => {
  const told = detailed(
    { removed_a: 2, removed_b_c: 3, scenarios: [], failing: { areas: 'no file' }, reasons: { database: 'away' } },
    say,
    String,
  )
  expect(told).toEqual(['pd_failing areas: no file', 'database: away', 'pd_tended 5'])
})

test('our own reasons have words, what the driver adds stays; others stay as they are', () => {
  const why = (reasons: Record<string, string>) => detailed({ reasons }, say, String)
  expect(why({ database: 'the database is not available: connection refused' })).toEqual([
    'pd_noDatabase (connection refused)',
  ])
  expect(why({ broker: 'not connected to the broker yet', database: 'starting' })).toEqual([
    'pd_brokerYet',
    'database: pd_starting',
  ])
  expect(why({ disk: 'full' })).toEqual(['disk: full'])
  expect(detailed({ failing: { areas: 'no database connection is free: x' } }, say, String)).toEqual([
    'pd_failing areas: pd_databaseBusy (x)',
  ])
})

test('what is unknown is said by its own name', () => {
  expect(detailed({ so_new: 3, other: { a: 1 } }, say, String)).toEqual(['so new: 3', 'other: {"a":1}'])
})
