import { expect, it } from 'vitest'
import type { Reading } from '../../data/types'
import { signal, signals, verdict, weak } from './signals'

const reading = (property: string, result: number | null): Reading => ({
  datastream: 1, thing: 'a', label: '', property, unit: '', time: '', result, value: null, quality: 0, flags: [],
}) // prettier-ignore

it('what a device says of itself', () => {
  expect(['battery_level', 'rssi', 'rx.rssi', 'snr', 'vbat', 'pm2_5', 'voltage'].map(signal)).toEqual([
    'battery', 'rssi', 'rssi', 'snr', 'supply', null, null,
  ]) // prettier-ignore
  expect(
    signals([reading('rssi', -80), reading('battery_level', 12), reading('snr', null)]).map((one) => one.of),
  ).toEqual(['battery', 'rssi'])
  expect([weak('battery', 12), weak('rssi', -80), weak('snr', -12)]).toEqual([true, false, true])
})

it('one word', () => {
  const minute = 60_000
  expect(verdict(null, 0, null, null, minute)).toBe('never')
  expect(verdict(0, 2 * minute, 1, 1, minute)).toBe('silent')
  expect(verdict(0, 0, 0.2, 1, minute)).toBe('sparse')
  expect(verdict(0, 0, 1, 0.5, minute)).toBe('suspect')
  expect(verdict(0, 0, null, null, minute)).toBe('well')
})
