/** A city service as /api/domains tells it, and what its page is given. */
import type { Component } from 'svelte'
import type { Labels } from '../data/types'

export interface Computed {
  property: string
  labels: Labels
  /** UCUM. */
  unit: string
  /** How it is computed, in words. */
  method: Labels
  edition: string
}

export interface CityService {
  name: string
  labels: Labels
  properties: Computed[]
  panels: { name: string; labels: Labels; data: string }[]
}

/** web/services/{name}/Page.svelte: the page of the service of that name. `item`: what was picked on it. */
export type ServicePage = Component<{ service: CityService; item: string | null }>

export interface Point {
  type: string
  coordinates: [number, number]
}
