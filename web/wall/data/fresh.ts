/** Until when a value counts as new. The server knows how often each property has one (tram/properties.py, fresh_for,
 *  docs/adr/0135) and says for how many seconds from its time a value is new; what it does not know has 15 minutes. Pure. */

const USUAL = 900 // s: the server's own for what is in no catalogue

/** What /api/overview says of a property. */
export interface Rhythm {
  /** Seconds from its time for which a value is new; below zero for a forecast. */
  readonly fresh_for: number
  /** By a city service, of what others measure. */
  readonly computed: boolean
}
export type Rhythms = { get(property: string): Rhythm | undefined }

interface Timed {
  readonly property: string
  readonly time: string
  readonly at?: number
}

const timeOf = (one: Timed) => one.at ?? Date.parse(one.time)

/** For how long a value of the property is new, ms from its time. */
export const freshFor = (known: Rhythms, property: string): number => (known.get(property)?.fresh_for ?? USUAL) * 1000

/** When several values were new together: the time of the newest, and until when one of them is new; ms since 1970. */
export interface Heard {
  at: number
  until: number
}

/** Of values as they are, whoever they are of; null without any. */
export function newness(readings: readonly Timed[], known: Rhythms): Heard | null {
  if (!readings.length) return null
  let at = -Infinity
  let until = -Infinity
  for (const one of readings) {
    const time = timeOf(one)
    at = Math.max(at, time)
    until = Math.max(until, time + freshFor(known, one.property))
  }
  return { at, until }
}

/** When a Thing was heard: by what it measures. Only what measures nothing (an area, a corridor) is heard by what is
 *  computed of it: a station that fell silent has a forecast for hours. */
export function heard(readings: readonly Timed[] | undefined, known: Rhythms): Heard | null {
  if (!readings?.length) return null
  const own = readings.filter((one) => !known.get(one.property)?.computed)
  return newness(own.length ? own : readings, known)
}

export type Health = 'live' | 'late' | 'never'

/** A Thing is live while any of its values is new by its own measure. */
export function health(readings: readonly Timed[] | undefined, now: number, known: Rhythms): Health {
  const told = heard(readings, known)
  return told === null ? 'never' : now <= told.until ? 'live' : 'late'
}

const RESULTS: ReadonlySet<string> = new Set(['area', 'corridor'])

/** Things of the other kinds only carry what is computed: nobody mends an area that fell silent. */
export const isDevice = (thing: { readonly kind: string }): boolean => !RESULTS.has(thing.kind)
