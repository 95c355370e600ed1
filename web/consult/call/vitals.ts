/** The newest vital signs of ONE person, with age and source. When the subject changes everything is blanked at once. */
import type { VitalsMessage, Wave } from '../messages'

export type Sign = 'heart_rate' | 'respiratory_rate' | 'oxygen_saturation' | 'systolic' | 'diastolic' | 'temperature'

export interface Reading {
  value: number
  /** ms since 1970 by the server's clock. */
  at: number
  device: string
  /** The device's clock is off: `at` is when the server had it. */
  skewed: boolean
}

/** After how many ms a sign counts as old: what is measured all the time, and what is measured now and then. */
export const PERIOD: Record<Sign, number> = {
  heart_rate: 15_000,
  respiratory_rate: 15_000,
  oxygen_saturation: 15_000,
  systolic: 600_000,
  diastolic: 600_000,
  temperature: 600_000,
}
const SIGNS = Object.keys(PERIOD) as Sign[]
/** ms without a frame after which another seat's may be shown. */
const SOURCE_SILENT = 15_000

export class Vitals {
  subject: string | null = null
  seat: string | null = null
  readonly readings = new Map<Sign, Reading>()
  #heard = 0

  /** Take a frame that came at `now` (ms, server clock). Returns what changed. A wave is handed on by the caller. */
  take({ seat, frame, received, skewed }: VitalsMessage, now: number): 'blanked' | 'numbers' | 'wave' | 'ignored' {
    if (this.seat !== null && seat !== this.seat && now - this.#heard < SOURCE_SILENT) return 'ignored'
    const blanked = this.subject !== null && (frame.subject !== this.subject || seat !== this.seat)
    if (blanked) this.readings.clear()
    this.seat = seat
    this.subject = frame.subject
    this.#heard = now
    if (frame.type === 'wave') return blanked ? 'blanked' : 'wave'
    const at = (skewed ? received : frame.at) / 1000
    for (const sign of SIGNS) {
      const value = frame.values[sign]
      const known = this.readings.get(sign)
      if (value === undefined || !Number.isFinite(value) || (known && known.at > at)) continue
      this.readings.set(sign, { value, at, device: frame.device, skewed: skewed ?? false })
    }
    return blanked ? 'blanked' : 'numbers'
  }

  /** Nobody's: the patient or the consult has gone. */
  clear(): void {
    this.subject = this.seat = null
    this.readings.clear()
  }
}

export type { Wave }
