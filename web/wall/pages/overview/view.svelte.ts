/** What the overview shows: the choice in the address, and what follows from it for the map, the lists and the chart. */
import { type Alarm, aside, order, rank, waits } from '../../data/alarms'
import type { Latest } from '../../data/convert'
import { type Health, isDevice } from '../../data/fresh'
import { province } from '../../data/province.svelte'
import { shown } from '../../data/shown.svelte'
import type { Thing } from '../../data/types'
import { colours } from '../../parts/ink.svelte'
import { router } from '../../shell/router.svelte'
import { bounds, byArea, mix, place, step } from './colour'
import type { Marker, State } from './markers'
import { ramp } from './sprites'

/** Colours by how grave the alarms are, in the place of a property. */
export const ALARMS = 'alarms'

export interface AreaRow {
  code: string
  things: number
  live: number
  alarms: number
  /** Of the gravest, 1 to 4; 5: none. */
  rank: number
}

class View {
  /** A property, ALARMS, or '' for how the devices do. */
  readonly by = $derived(router.option('by'))
  readonly property = $derived(this.by === ALARMS ? '' : this.by)
  readonly area = $derived(router.option('area') || null)
  readonly thing = $derived(router.option('thing') || null)
  /** On a wall nobody touches anything: no controls, no lists to scroll. */
  readonly kiosk = $derived(router.option('kiosk') === '1')

  readonly things = $derived(province.things.value ?? [])
  // Looked at twice a minute: whether a device is late changes slowly.
  readonly #moment = $derived(Math.floor(shown.present / 30_000) * 30_000)
  readonly states = $derived.by((): Map<string, Health> => {
    const values = shown.book?.things
    return new Map(this.things.map((one) => [one.name, province.health(values?.get(one.name), this.#moment)]))
  })
  readonly devices = $derived(this.things.filter(isDevice))
  readonly online = $derived(this.devices.filter((one) => this.states.get(one.name) === 'live').length)
  readonly silent = $derived(this.devices.filter((one) => this.states.get(one.name) === 'late').length)

  readonly standing = $derived((shown.alarms ?? []).filter((one) => !aside(one)).sort(order))
  /** The gravest alarm of each Thing. */
  readonly gravest = $derived.by(() => {
    const found: Record<string, Alarm> = {}
    for (const one of this.standing) {
      const before = found[one.thing]
      if (one.thing && (!before || rank[one.priority] < rank[before.priority])) found[one.thing] = one
    }
    return found
  })

  /** Values of the property that colours. */
  readonly chosen = $derived(
    this.property ? (shown.value ?? []).filter((one) => one.property === this.property && one.result !== null) : [],
  )
  readonly scale = $derived(bounds(this.chosen.map((one) => one.result!)))

  /** Area -> its colour. */
  readonly fills = $derived.by((): Map<string, string> => {
    if (this.by === ALARMS) {
      return new Map(
        this.areas
          .filter((one) => one.rank < 5)
          .map((one) => [one.code, mix(colours.ink['map-land'], colours.ink[`p${one.rank as 1}`], 0.55)]),
      )
    }
    const { low, high } = this.scale
    const values = byArea(
      this.chosen.map((one) => ({ area: province.thing.get(one.thing)?.area ?? null, value: one.result! })),
    )
    return new Map([...values].map(([code, value]) => [code, ramp(step(place(value, low, high)!), colours.ink)]))
  })

  readonly markers = $derived.by((): Marker[] => {
    const values = new Map(this.chosen.map((one) => [one.thing, one.result]))
    return this.things.flatMap((one) => {
      if (!one.location || (this.property && !values.has(one.name))) return []
      const [longitude, latitude] = one.location.coordinates
      const share = this.property ? place(values.get(one.name) ?? null, this.scale.low, this.scale.high) : null
      const alarm = this.gravest[one.name]
      const sign = alarm && { rank: rank[alarm.priority], seen: !waits(alarm) }
      const state = this.states.get(one.name) ?? 'never'
      return [{ thing: one.name, label: one.label || one.name, longitude, latitude, state, share, alarm: sign }]
    })
  })

  /** Between two lists of markers: each value as it comes, straight onto the map; none while time is held. */
  live(take: (thing: string, share: number | null, state: State) => void): () => void {
    if (shown.at !== null) return () => undefined
    return province.latest.direct((of, stream, { time, result }) => {
      if (this.property && stream.property !== this.property) return
      const { low, high } = this.scale
      const share = this.property && typeof result === 'number' ? place(result, low, high) : null
      if (this.property && share === null) return
      // What is computed of a device's values does not make it live.
      const computed = province.property.get(stream.property)?.computed
      const late = province.old({ property: stream.property, at: time / 1000 }, Date.now())
      take(of.name, share, computed ? (this.states.get(of.name) ?? 'never') : late ? 'late' : 'live')
    })
  }

  /** Areas that have devices, those with the gravest alarms first. */
  readonly areas = $derived.by((): AreaRow[] => {
    const found: Record<string, AreaRow> = {}
    for (const one of this.things) {
      if (one.area === null) continue
      const row = (found[one.area] ??= { code: one.area, things: 0, live: 0, alarms: 0, rank: 5 })
      row.things++
      if (this.states.get(one.name) === 'live') row.live++
    }
    for (const one of this.standing) {
      const row = one.area === null ? undefined : found[one.area]
      if (!row) continue
      row.alarms++
      row.rank = Math.min(row.rank, rank[one.priority])
    }
    return Object.values(found).sort((a, b) => a.rank - b.rank || b.alarms - a.alarms || a.code.localeCompare(b.code))
  })

  /** Devices of the area that is picked: those with alarms first, then the silent ones. */
  readonly here = $derived.by((): Thing[] => {
    const states: Record<Health, number> = { late: 0, live: 1, never: 2 }
    const grave = (one: Thing) => (this.gravest[one.name] ? rank[this.gravest[one.name]!.priority] : 5)
    return this.things
      .filter((one) => one.area === this.area)
      .sort(
        (a, b) =>
          grave(a) - grave(b) ||
          states[this.states.get(a.name) ?? 'never'] - states[this.states.get(b.name) ?? 'never'] ||
          (a.label || a.name).localeCompare(b.label || b.name, 'vi'),
      )
  })

  /** Alarms of what is picked. */
  readonly alarms = $derived(
    this.standing.filter((one) => (this.thing ? one.thing === this.thing : this.area ? one.area === this.area : true)),
  )

  values(thing: string): readonly Latest[] {
    return shown.book?.things.get(thing) ?? []
  }

  pick(found: { area?: string | null; thing?: string | null }): void {
    router.set({ area: found.area ?? '', thing: found.thing ?? '' }, true)
  }

  colour(by: string): void {
    router.set({ by })
  }
}

export const view = new View()
