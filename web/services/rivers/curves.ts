/** A station's past level with what is forecast of it, as a Trend draws them. Pure. */
import { type Curve, curve } from '../../wall/city/curves'
import type { Series } from '../../wall/data/types'
import type { Forecast } from './data'

interface Labels {
  level: string
  /** That nothing changes; '': not drawn. */
  baseline: string
  forecast: string
}

/** Whether any level of it is known. */
export function known(ahead: Forecast): boolean {
  return ahead.items.some((one) => one.level !== null)
}

/** The forecast goes on from the last value there is; without one of them there is the past alone. */
export function withAhead(series: Series, ahead: Forecast, labels: Labels): Curve[] {
  const past = curve(series, labels.level, 'c5')
  const found: Curve[] = [{ ...past, low: null, high: null }]
  const items = ahead.items
  const end = items.at(-1)
  const last = past.values.findLastIndex((value) => value !== null)
  if (!known(ahead) || !end || last < 0) return found
  const [time, level] = [past.times[last]!, past.values[last] as number]
  const all = [
    { time, level, low: level, high: level },
    ...items.map((one) => ({ ...one, time: Date.parse(one.time) })),
  ]
  if (labels.baseline)
    found.unshift({ label: labels.baseline, tone: 'text-3', times: [time, Date.parse(end.time)], values: [level, level], faint: true }) // prettier-ignore
  found.push({
    label: labels.forecast, tone: 'c5', dashed: true, times: all.map((one) => one.time),
    values: all.map((one) => one.level), low: all.map((one) => one.low), high: all.map((one) => one.high),
  }) // prettier-ignore
  return found
}
