/** Readings for tests of panels. */
import type { Reading } from '../wall/data/types'

export function reading(datastream: number, thing: string, property: string, more: Partial<Reading> = {}): Reading {
  return {
    datastream,
    thing,
    label: `Trạm ${thing}`,
    property,
    unit: 'm',
    time: '2026-10-08T07:00:00Z',
    result: 1,
    value: 1,
    quality: 0,
    flags: [],
    ...more,
  }
}
