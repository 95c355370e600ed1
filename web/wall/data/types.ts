/** The answers of /api that the wall reads: the part of each that it uses. tests/web holds them against the OpenAPI. */

export interface Labels {
  vi: string
  en: string
}

export interface Role {
  role: string
  label: Labels
  areas: string[] | null
}

export interface Me {
  signed_in: boolean
  id: string
  login: string
  name: string
  restricted: string | null
  roles: Role[]
  environment: string
}

export interface Thing {
  name: string
  label: string
  kind: string
  status: string
  area: string | null
  location: { type: string; coordinates: [number, number] } | null
  properties: Record<string, unknown>
  created: string
  seen: string | null
  datastreams: number
}

export interface Datastream {
  id: number
  thing: string
  property: string
  labels: Partial<Labels>
  /** UCUM. */
  unit: string
}

export interface ThingWithDatastreams extends Thing {
  streams: Datastream[]
}

export interface Reading {
  datastream: number
  thing: string
  label: string
  property: string
  unit: string
  time: string
  result: number | null
  value: unknown
  quality: number
  flags: string[]
}

export interface Bucket {
  time: string
  n: number
  good: number
  mean: number | null
  min: number
  max: number
  first: number
  last: number
}

export interface Series {
  datastream: Datastream
  items: { time: string; result: number | null; quality: number }[]
  used: string
  bucket_seconds: number | null
  thinned: boolean
  buckets: Bucket[] | null
}

export interface Pending {
  name: string
  created: string
  seen: string | null
  waiting: number
  dropped: number
}

export interface DeadLetter {
  id: number
  at: string
  received: string
  topic: string
  reason: string
  detail: string
  payload: string
  size: number
  whole: boolean
  asked: string | null
  settled: string | null
  outcome: string
  stored: number
}

export interface ProcessState {
  name: string
  host: string
  pid: number
  version: string
  state: string
  started: string
  seen: string
  age: number
  detail: Record<string, unknown>
}

export interface Status {
  at: string
  version: string
  environment: string
  database: { edition: string; version: string; size: number }
  counts: {
    observations: number
    exact: boolean
    things: number
    datastreams: number
    pending: number
    dead_letters: number
  }
  rate: { now: number; until: string; per_second: number[] }
  last_commit: string | null
  lag: number | null
  gateway: Record<string, number>
  processes: ProcessState[]
}

export interface PropertySummary {
  property: string
  labels: Partial<Labels>
  unit: string
  datastreams: number
  fresh: number
  suspect: number
  low: number | null
  middle: number | null
  high: number | null
  histogram: number[]
}

export interface Overview {
  properties: PropertySummary[]
  places: { thing: string; longitude: number; latitude: number; state: string }[]
}

export interface Headline {
  name: string
  service: Labels
  labels: Labels
  unit: string
  value: number | null
  tone: 'ok' | 'notice' | 'warning' | 'danger' | 'unknown'
  state: Labels | null
  time: string | null
  thing: string
  fresh: number
  all: number
}
