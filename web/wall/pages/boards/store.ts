/** Dashboards as the server keeps them (`/api/dashboards`), and asking for them. */
import { all, ask } from '../../data/api'
import type { Place } from './layout'

export interface Labels {
  vi: string
  en: string
}

/** A panel and its place. */
export interface Item extends Place {
  /** Its folder in web/panels. */
  panel: string
  title: string
  settings: Record<string, unknown>
}

export interface Definition {
  labels: Labels
  panels: Item[]
}

export interface Summary {
  id: string
  version: number
  labels: Labels
  panels: number
  owner: string
  owner_name: string
  mine: boolean
  shared: boolean
  manageable: boolean
  updated: string
  by: string
  by_name: string
}

export interface Whole extends Summary {
  definition: Definition
}

export interface Version {
  version: number
  at: string
  by: string
  by_name: string
  labels: Labels
  panels: number
  definition: Definition | null
}

const at = (id: string) => `/api/dashboards/${encodeURIComponent(id)}`

export const list = (signal: AbortSignal) => all<Summary>('/api/dashboards?limit=1000', 5000, signal)
export const get = (id: string, signal?: AbortSignal) => ask<Whole>(at(id), { signal })
export const add = (definition: Definition, shared = false) =>
  ask<Whole>('/api/dashboards', { method: 'POST', body: { definition, shared } })
export const put = (id: string, version: number, definition: Definition, shared?: boolean) =>
  ask<Whole>(at(id), { method: 'PUT', version, body: shared === undefined ? { definition } : { definition, shared } })
export const remove = (id: string, version: number) => ask<undefined>(at(id), { method: 'DELETE', version })
export const restore = (id: string, version: number, from: number) =>
  ask<Whole>(`${at(id)}/restore`, { method: 'POST', version, body: { version: from } })
export const versions = (id: string, signal: AbortSignal) => ask<Version[]>(`${at(id)}/versions`, { signal })
export const version = (id: string, number: number) => ask<Version>(`${at(id)}/versions/${number}`)

/** Who, in words. */
export const whose = (name: string, id: string) => name || (id === 'system' ? 'Trạm' : id)
