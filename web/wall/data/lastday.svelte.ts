/** The alarms of the last 24 hours by quarters: what the overview and the alarms' page draw. */
import type { Figures } from './alarms'
import { ask } from './api'
import { Poll } from './poll.svelte'

const QUARTER = 900_000
const iso = (ms: number) => new Date(ms).toISOString()

export const lastDay = new Poll<Figures & { from: number; to: number }>(async (signal) => {
  const to = Math.ceil(Date.now() / QUARTER) * QUARTER
  const from = to - 96 * QUARTER
  const [begin, end] = [iso(from), iso(to)]
  const found = await ask<Figures>(`/api/alarms/statistics?from=${begin}&to=${end}`, { signal })
  return { ...found, from, to }
}, 60_000)
