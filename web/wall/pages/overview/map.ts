/** The map: communes as MapLibre polygons, live markers on a canvas above it (5,000 of them move without a redraw of the map). */
import 'maplibre-gl/dist/maplibre-gl.css'
import { type GeoJSONSource, type LngLatBoundsLike, Map as Base, NavigationControl, setWorkerUrl } from 'maplibre-gl'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import type { Feature, FeatureCollection, Geometry } from 'geojson'
import type { Ink } from '../../parts/ink.svelte'

setWorkerUrl(worker)

export type Areas = FeatureCollection<Geometry | null, { code: string; name: string; schematic: boolean }>

export interface Marker {
  thing: string
  longitude: number
  latitude: number
  colour: string
  /** Filled, or a ring: late and silent ones. */
  filled: boolean
  /** Its gravest open alarm, 1 to 4, and whether nobody has seen it: only then it has a ring. */
  alarm?: { rank: 1 | 2 | 3 | 4; seen: boolean } | undefined
}

const FALLBACK: LngLatBoundsLike = [105.25, 21.3, 106.35, 22.75] // the province; used until areas say better

export class ProvinceMap {
  readonly #base: Base
  readonly #canvas: HTMLCanvasElement
  #markers: readonly Marker[] = []
  #selected: { area: string | null; thing: string | null } = { area: null, thing: null }
  #ink: Ink
  #asked = 0
  #ready: Promise<void>

  constructor(box: HTMLElement, ink: Ink, onpick: (pick: { area: string | null; thing: string | null }) => void) {
    this.#ink = ink
    this.#base = new Base({
      container: box,
      style: { version: 8, sources: {}, layers: [{ id: 'ground', type: 'background', paint: { 'background-color': 'rgba(0,0,0,0)' } }] },
      bounds: FALLBACK,
      fitBoundsOptions: { padding: 16 },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxPitch: 0,
      minZoom: 6,
      maxZoom: 16,
      fadeDuration: 0,
    }) // prettier-ignore
    this.#base.touchZoomRotate.disableRotation()
    this.#base.addControl(new NavigationControl({ showCompass: false }), 'top-right')
    this.#canvas = document.createElement('canvas')
    this.#canvas.style.cssText = 'position:absolute;inset:0;pointer-events:none'
    this.#base.getCanvasContainer().append(this.#canvas)
    this.#base.on('move', () => this.#draw())
    this.#base.on('resize', () => this.#draw())
    this.#base.on('click', ({ point }) => {
      const near = this.#nearest(point.x, point.y)
      if (near) return onpick({ area: null, thing: near.thing })
      const [hit] = this.#base.getLayer('areas') ? this.#base.queryRenderedFeatures(point, { layers: ['areas'] }) : []
      onpick({ area: (hit?.properties.code as string | undefined) ?? null, thing: null })
    })
    this.#ready = new Promise((done) => this.#base.once('load', () => done()))
  }

  /** The polygons, once; then their colours as often as wanted. */
  async areas(areas: Areas): Promise<void> {
    await this.#ready
    if (this.#base.getSource('areas')) return
    const drawn = areas.features.filter((one) => one.geometry !== null) as Feature<Geometry>[]
    this.#base.addSource('areas', { type: 'geojson', data: { ...areas, features: drawn }, promoteId: 'code' })
    this.#base.addLayer({ id: 'areas', type: 'fill', source: 'areas', paint: { 'fill-color': ['coalesce', ['feature-state', 'fill'], this.#ink['map-land']] } })
    this.#base.addLayer({ id: 'lines', type: 'line', source: 'areas', paint: { 'line-color': this.#ink['map-line'], 'line-width': 0.7 } })
    this.#base.addLayer({ id: 'chosen', type: 'line', source: 'areas', filter: ['==', ['get', 'code'], ''], paint: { 'line-color': this.#ink.text, 'line-width': 2 } })
    this.#base.fitBounds(extent(areas), { padding: 16, animate: false })
  } // prettier-ignore

  async paint(fills: ReadonlyMap<string, string>, all: readonly string[]): Promise<void> {
    await this.#ready
    if (!this.#base.getSource<GeoJSONSource>('areas')) return
    for (const code of all) this.#base.setFeatureState({ source: 'areas', id: code }, { fill: fills.get(code) ?? null })
  }

  theme(ink: Ink): void {
    this.#ink = ink
    if (this.#base.getLayer('areas')) {
      this.#base.setPaintProperty('areas', 'fill-color', ['coalesce', ['feature-state', 'fill'], ink['map-land']])
      this.#base.setPaintProperty('lines', 'line-color', ink['map-line'])
      this.#base.setPaintProperty('chosen', 'line-color', ink.text)
    }
    this.#draw()
  }

  markers(markers: readonly Marker[]): void {
    this.#markers = markers
    this.#draw()
  }

  select(area: string | null, thing: string | null): void {
    this.#selected = { area, thing }
    if (this.#base.getLayer('chosen')) this.#base.setFilter('chosen', ['==', ['get', 'code'], area ?? ''])
    this.#draw()
  }

  remove(): void {
    cancelAnimationFrame(this.#asked)
    this.#base.remove()
  }

  /** The shape of a priority with its digit: octagon, triangle, diamond, circle. */
  #sign(pen: CanvasRenderingContext2D, x: number, y: number, { rank, seen }: NonNullable<Marker['alarm']>): void {
    const colour = this.#ink[`p${rank}`]
    if (!seen) {
      pen.beginPath()
      pen.arc(x, y, 15, 0, 2 * Math.PI)
      pen.strokeStyle = colour
      pen.lineWidth = 1.6
      pen.stroke()
    }
    const corners = [8, 3, 4, 24][rank - 1]!
    const turn = [Math.PI / 8, -Math.PI / 2, 0, 0][rank - 1]!
    pen.beginPath()
    for (let i = 0; i < corners; i++) {
      const angle = turn + (i * 2 * Math.PI) / corners
      pen.lineTo(x + 9.5 * Math.cos(angle), y + 9.5 * Math.sin(angle) + (rank === 2 ? 1.5 : 0))
    }
    pen.closePath()
    pen.fillStyle = seen ? this.#ink.surface : colour
    pen.fill()
    pen.strokeStyle = seen ? colour : this.#ink.surface
    pen.lineWidth = seen ? 1.8 : 1
    pen.stroke()
    pen.fillStyle = seen ? colour : this.#ink[`p${rank}-on`]
    pen.font = `600 10px ${this.#ink.font}`
    pen.textAlign = 'center'
    pen.textBaseline = 'middle'
    pen.fillText(String(rank), x, y + (rank === 2 ? 2.5 : 0.5))
  }

  #nearest(x: number, y: number): Marker | null {
    let best: Marker | null = null
    let least = 14 ** 2
    for (const one of this.#markers) {
      const at = this.#base.project([one.longitude, one.latitude])
      const far = (at.x - x) ** 2 + (at.y - y) ** 2
      if (far < least) [best, least] = [one, far]
    }
    return best
  }

  #draw(): void {
    cancelAnimationFrame(this.#asked)
    this.#asked = requestAnimationFrame(() => this.#drawNow())
  }

  #drawNow(): void {
    const { clientWidth: width, clientHeight: height } = this.#base.getContainer()
    const ratio = devicePixelRatio
    if (this.#canvas.width !== width * ratio || this.#canvas.height !== height * ratio) {
      this.#canvas.width = width * ratio
      this.#canvas.height = height * ratio
      this.#canvas.style.width = `${width}px`
      this.#canvas.style.height = `${height}px`
    }
    const pen = this.#canvas.getContext('2d')
    if (!pen) return
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, height)
    const radius = this.#base.getZoom() > 10 ? 5.5 : 3.5
    for (const one of this.#markers) {
      const { x, y } = this.#base.project([one.longitude, one.latitude])
      if (x < -8 || y < -8 || x > width + 8 || y > height + 8) continue
      const chosen = one.thing === this.#selected.thing
      pen.beginPath()
      pen.arc(x, y, chosen ? radius + 2 : radius, 0, 2 * Math.PI)
      pen.fillStyle = one.filled ? one.colour : this.#ink.surface
      pen.fill()
      pen.lineWidth = one.filled ? 1 : 1.8
      pen.strokeStyle = one.filled ? this.#ink.surface : one.colour
      pen.stroke()
      if (one.alarm) this.#sign(pen, x, y, one.alarm)
      if (chosen) {
        pen.beginPath()
        pen.arc(x, y, radius + 6, 0, 2 * Math.PI)
        pen.lineWidth = 2
        pen.strokeStyle = this.#ink.text
        pen.stroke()
      }
    }
  }
}

function extent(areas: Areas): [number, number, number, number] {
  const box: [number, number, number, number] = [180, 90, -180, -90]
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return
    if (typeof part[0] === 'number' && typeof part[1] === 'number') {
      box[0] = Math.min(box[0], part[0])
      box[1] = Math.min(box[1], part[1])
      box[2] = Math.max(box[2], part[0])
      box[3] = Math.max(box[3], part[1])
    } else part.forEach(walk)
  }
  for (const { geometry } of areas.features) if (geometry && 'coordinates' in geometry) walk(geometry.coordinates)
  return box
}
