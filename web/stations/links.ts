/** What the page shows of each station, read from the server. Pure, but for the one request. */

/** One facility's links over the period, as GET /consult/api/quality/stations says: shares 0..1, ms, kbit/s. */
export interface StationLink {
  facility: string
  records: number
  consults: number
  bad_share: number
  rtt_ms: number | null
  jitter_ms: number | null
  loss: number | null
  kbps_up: number | null
  kbps_down: number | null
  audio_only_share: number
  frozen_seconds: number
  /** Share of bad time by equal intervals of the period, the oldest first; null: no call. */
  trend: (number | null)[]
  last: string
}

export type Level = 'good' | 'fair' | 'poor'

/** A station whose link was bad for a twentieth of the time is watched, for a fifth it is a fault. */
export function level(badShare: number): Level {
  return badShare >= 0.2 ? 'poor' : badShare >= 0.05 ? 'fair' : 'good'
}

/** Seconds of frozen picture in an hour of calls. A record is five seconds. */
export function frozenPerHour({ frozen_seconds, records }: StationLink): number {
  return records === 0 ? 0 : (frozen_seconds / (records * 5)) * 3600
}

/** The lines of a sparkline, each a stretch of intervals with calls: a hole in time is a hole in the line. */
export function strokes(trend: readonly (number | null)[], width: number, height: number): [number, number][][] {
  const step = width / Math.max(1, trend.length - 1)
  const found: [number, number][][] = []
  let open: [number, number][] | null = null
  for (const [i, share] of trend.entries()) {
    if (share === null) {
      open = null
      continue
    }
    if (!open) found.push((open = []))
    open.push([i * step, height * (1 - Math.min(1, Math.max(0, share)))])
  }
  return found
}

export type Answer =
  { kind: 'links'; links: StationLink[] } | { kind: 'sign-in' } | { kind: 'refused' } | { kind: 'failed' }

/** Ask the server; never throws. */
export async function read(api: string, hours: number, fetcher: typeof fetch = fetch): Promise<Answer> {
  try {
    const response = await fetcher(`${api}/quality/stations?hours=${hours}`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(10_000),
    })
    if (response.status === 401) return { kind: 'sign-in' }
    if (response.status === 403) return { kind: 'refused' }
    if (!response.ok) return { kind: 'failed' }
    return { kind: 'links', links: (await response.json()) as StationLink[] }
  } catch {
    return { kind: 'failed' }
  }
}
