/** getStats as the call's quality record wants it: what changed since the last look. Pure. */
import type { Stats } from '../messages'

/** Sums since the peer connection began. */
export interface Totals {
  at: number
  bytesIn: number
  bytesOut: number
  packetsIn: number
  lost: number
  freezes: number
  freezeSeconds: number
  framesDecoded: number
  jitter: number | null
  rtt: number | null
  height: number | null
  fps: number | null
  path: string
}

type Entry = Record<string, unknown>
const num = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)
const some = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** Read one report; `at` is ms. */
export function totals(report: Iterable<Entry>, at: number): Totals {
  const entries = [...report]
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const transport = entries.find((entry) => entry.type === 'transport')
  const pair =
    byId.get(transport?.selectedCandidatePairId) ?? entries.find((e) => e.type === 'candidate-pair' && e.nominated)
  const local = byId.get(pair?.localCandidateId)
  const found: Totals = {
    at,
    bytesIn: num(pair?.bytesReceived),
    bytesOut: num(pair?.bytesSent),
    packetsIn: 0,
    lost: 0,
    freezes: 0,
    freezeSeconds: 0,
    framesDecoded: 0,
    jitter: null,
    rtt: some(pair?.currentRoundTripTime),
    height: null,
    fps: null,
    path: local ? `${String(local.candidateType)}/${String(local.protocol)}`.slice(0, 32) : '',
  }
  for (const entry of entries) {
    if (entry.type !== 'inbound-rtp') continue
    found.packetsIn += num(entry.packetsReceived)
    found.lost += num(entry.packetsLost)
    const jitter = some(entry.jitter)
    if (jitter !== null && num(entry.packetsReceived) > 0) found.jitter = Math.max(found.jitter ?? 0, jitter)
    if (entry.kind !== 'video') continue
    found.freezes += num(entry.freezeCount)
    found.freezeSeconds += num(entry.totalFreezesDuration)
    found.framesDecoded += num(entry.framesDecoded)
    const height = some(entry.frameHeight)
    if (height !== null && height > (found.height ?? 0)) {
      found.height = height
      found.fps = some(entry.framesPerSecond)
    }
  }
  return found
}

/** What happened between two looks at the same peer connection. Counters never go back: a replaced track starts anew. */
export function between(pc: number, before: Totals, after: Totals): Stats {
  const seconds = Math.max(0.001, (after.at - before.at) / 1000)
  const up = (a: number, b: number) => Math.max(0, b - a)
  const got = up(before.packetsIn, after.packetsIn)
  const lost = up(before.lost, after.lost)
  const stats: Stats = {
    type: 'stats',
    pc,
    kbps_in: Math.min(1e6, (up(before.bytesIn, after.bytesIn) * 8) / 1000 / seconds),
    kbps_out: Math.min(1e6, (up(before.bytesOut, after.bytesOut) * 8) / 1000 / seconds),
    freezes: up(before.freezes, after.freezes),
    freeze_ms: Math.min(120_000, up(before.freezeSeconds, after.freezeSeconds) * 1000),
    path: after.path,
  }
  if (got + lost > 0) stats.loss_in = lost / (got + lost)
  if (after.rtt !== null) stats.rtt_ms = Math.min(120_000, after.rtt * 1000)
  if (after.jitter !== null) stats.jitter_ms = Math.min(120_000, after.jitter * 1000)
  if (after.height !== null) stats.height_in = Math.min(8192, after.height)
  if (after.fps !== null) stats.fps_in = Math.min(240, after.fps)
  return stats
}
