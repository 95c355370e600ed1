/** The areas of the province with their borders, and which lies in which. They hardly ever change. */
import type { FeatureCollection, Geometry } from 'geojson'
import { ask } from './api'
import { Poll } from './poll.svelte'
import type { components } from './schema'

export type AreaProperties = components['schemas']['AreaProperties']
export type Areas = FeatureCollection<Geometry | null, AreaProperties>

class AreaTree {
  readonly all: Poll<Areas> = new Poll((signal) => ask<Areas>('/api/areas', { signal }), 3_600_000)
  readonly #byCode = $derived(
    new Map((this.all.value?.features ?? []).map(({ properties }) => [properties.code, properties])),
  )

  name(code: string): string {
    return this.#byCode.get(code)?.name ?? code
  }

  /** Whether an area is that one, or lies in it. */
  within(code: string | null, area: string): boolean {
    for (let at = code; at !== null; at = this.#byCode.get(at)?.parent ?? null) if (at === area) return true
    return false
  }
}

export const areas = new AreaTree()
