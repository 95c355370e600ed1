/** Which of a device's values are about itself: its battery, its radio. Pure. */
import type { Reading } from '../../data/types'

export type Signal = 'battery' | 'rssi' | 'snr' | 'supply'

const known: readonly (readonly [Signal, RegExp])[] = [
  ['battery', /^(battery(_level|_percent)?|batt|bat_level|soc)$/],
  ['supply', /^(battery_voltage|batt_v|vbat|supply_voltage)$/],
  ['rssi', /(^|[_.])rssi$/],
  ['snr', /(^|[_.])(snr|lsnr)$/],
]

export function signal(property: string): Signal | null {
  const name = property.toLowerCase()
  return known.find(([, form]) => form.test(name))?.[0] ?? null
}

/** Whether the value of it says that somebody should go there. */
export function weak(of: Signal, value: number): boolean {
  if (of === 'battery') return value < 20 // %
  if (of === 'rssi') return value < -115 // dBm: what LoRa and NB-IoT still hear, barely
  if (of === 'snr') return value < -10 // dB
  return false
}

export function signals(readings: Iterable<Reading>): { of: Signal; reading: Reading }[] {
  const found = new Map<Signal, Reading>()
  for (const reading of readings) {
    const of = signal(reading.property)
    if (of && reading.result !== null && !found.has(of)) found.set(of, reading)
  }
  return known.flatMap(([of]) => (found.has(of) ? [{ of, reading: found.get(of)! }] : []))
}

/** How a device does, in one word: what its page says first. `share` is the last hour against the usual one. */
export function verdict(seen: number | null, now: number, share: number | null, good: number | null, fresh: number) {
  if (seen === null) return 'never' as const
  if (now - seen > fresh) return 'silent' as const
  if (share !== null && share < 0.5) return 'sparse' as const
  if (good !== null && good < 0.9) return 'suspect' as const
  return 'well' as const
}
