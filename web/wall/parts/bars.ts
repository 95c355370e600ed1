/** Alarms over time as bars: how many came when, by priority, and against what one person can follow. Pure. */
import type { Figures, PriorityWord } from '../data/alarms'

/** The gravest first: it stands at the foot of the bar, where its length is read. */
export const WORDS: readonly PriorityWord[] = ['critical', 'high', 'medium', 'low']

export interface Bar {
  /** ms. */
  from: number
  to: number
  n: number
  by: Record<PriorityWord, number>
}

/** Every bar between `from` and `to` (ms), those of nothing too; the first and the last may reach beyond. */
export function bars(given: Pick<Figures, 'step' | 'bars'>, from: number, to: number): Bar[] {
  const step = given.step * 1000
  const known = new Map(given.bars.map((one) => [Date.parse(one.at), one.raised]))
  const begin = Math.floor((from - MONDAY) / step) * step + MONDAY
  const found: Bar[] = []
  for (let at = begin; at < to && found.length < MOST; at += step) {
    const raised = known.get(at) ?? {}
    const by = {
      critical: raised.critical ?? 0,
      high: raised.high ?? 0,
      medium: raised.medium ?? 0,
      low: raised.low ?? 0,
    }
    found.push({ from: at, to: at + step, n: by.critical + by.high + by.medium + by.low, by })
  }
  return found
}
const MONDAY = Date.UTC(1970, 0, 5) - 7 * 3_600_000 // where the server's bars begin: midnight in +07
const MOST = 400

/** How high the axis goes: a storm is cut off, and says its number, where it would flatten all the others. `flood`: what
 *  one bar of a flood has. */
export function ceiling(totals: readonly number[], least: number, flood: number): number {
  const sorted = [...totals].sort((a, b) => a - b)
  const most = sorted.at(-1) ?? 0
  const usual = Math.max(flood, sorted[Math.floor(sorted.length * 0.75)] ?? 0)
  return Math.max(least, most > 3 * usual ? 1.6 * usual : most)
}

/** Of those that are cut off, whose number is written: the greater first, none over another; `apart` bars between them. */
export function written(totals: readonly number[], top: number, apart: number): number[] {
  const found: number[] = []
  const over = totals.flatMap((n, i) => (n > top ? [i] : [])).sort((a, b) => totals[b]! - totals[a]!)
  for (const i of over) if (found.every((one) => Math.abs(one - i) >= apart)) found.push(i)
  return found
}

/** The pixels of a bar's parts from the foot up: each at least one where there is any, together no more than `height`. */
export function stacked(bar: Bar, top: number, height: number): { word: PriorityWord; from: number; to: number }[] {
  const per = height / top
  let at = 0
  return WORDS.filter((word) => bar.by[word] > 0).flatMap((word) => {
    const from = at
    at = Math.min(height, at + Math.max(1.5, bar.by[word] * per))
    return at > from ? [{ word, from, to: at }] : []
  })
}

/** What one operator can follow in a bar of so many seconds: ISA-18.2 (2016, 16.5) and EEMUA 191 hold about one alarm in ten
 *  minutes for acceptable, and ten in ten minutes for the beginning of a flood. */
export function benchmark(step: number): { acceptable: number; flood: number } {
  return { acceptable: step / 600, flood: (10 * step) / 600 }
}

/** Every alarm nobody has acknowledged, the one that waits longest first. */
export function waitingLongest<T extends { raised: string; state: string; kind: string }>(
  alarms: readonly T[],
  most: number,
): T[] {
  return alarms
    .filter((one) => one.state === 'unacknowledged' || one.state === 'returned-unacknowledged')
    .sort((a, b) => Date.parse(a.raised) - Date.parse(b.raised))
    .slice(0, most)
}
