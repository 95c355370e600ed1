/** The map: communes as MapLibre polygons, live markers on one canvas above it. New values redraw that canvas alone, once a
 *  frame and only when something looks another way; the map below is drawn when it moves. */
import 'maplibre-gl/dist/maplibre-gl.css'
import { type LngLatBoundsLike, Map as Base, NavigationControl, setWorkerUrl } from 'maplibre-gl'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import type { Feature, Geometry } from 'geojson'
import type { Areas } from '../../data/areas.svelte'
import type { Ink } from '../../parts/ink.svelte'
import { type Marker, Markers, type State, mercatorX, mercatorY } from './markers'
import { chosen, cross, name, sign } from './signs'
import { type Sprites, sprites } from './sprites'
import { stamp } from './stamp'

setWorkerUrl(worker)

export interface Pick {
  area: string | null
  thing: string | null
}

const FALLBACK: LngLatBoundsLike = [105.25, 21.3, 106.35, 22.75] // the province; used until areas say better
const REACH = 14 // px around a pointer
const MARGIN = 18 // px that a sign is wide

export class ProvinceMap {
  readonly #base: Base
  readonly #canvas: HTMLCanvasElement
  readonly #markers = new Markers()
  readonly #ready: Promise<void>
  #signs: number[] = []
  #sprites: (Sprites & { made: string }) | null = null
  #selected: Pick = { area: null, thing: null }
  #pointed: string | null = null
  #keyboard = false
  #fills: ReadonlyMap<string, string> = new Map()
  #ground: ImageData | null = null
  #ink: Ink
  #asked = 0
  #placed = false

  constructor(box: HTMLElement, ink: Ink, onpick: (pick: Pick) => void) {
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
    this.#ready = new Promise((done) => this.#base.once('load', () => done()))
    this.#base.on('move', () => (this.#placed = false))
    this.#base.on('resize', () => (this.#placed = false))
    // In the frame that the map moves in: markers must not swim behind it.
    this.#base.on('render', () => this.#placed || this.#drawNow())
    this.#base.on('mousemove', ({ point }) => this.#point(point.x, point.y))
    this.#base.on('mouseout', () => this.#point(-1e6, -1e6))
    this.#base.on('click', ({ point }) => onpick(this.#at(point.x, point.y)))
    this.#keys(onpick)
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
    this.select(this.#selected.area, this.#selected.thing)
  } // prettier-ignore

  /** Colours by area code; every other area is land. What stays as it is costs nothing. */
  async paint(fills: ReadonlyMap<string, string>): Promise<void> {
    await this.#ready
    if (!this.#base.getSource('areas')) return
    for (const [code, fill] of fills)
      if (this.#fills.get(code) !== fill) this.#base.setFeatureState({ source: 'areas', id: code }, { fill })
    for (const code of this.#fills.keys())
      if (!fills.has(code)) this.#base.setFeatureState({ source: 'areas', id: code }, { fill: null })
    this.#fills = fills
  }

  theme(ink: Ink): void {
    this.#ink = ink
    this.#sprites = null
    if (this.#base.getLayer('areas')) {
      this.#base.setPaintProperty('areas', 'fill-color', ['coalesce', ['feature-state', 'fill'], ink['map-land']])
      this.#base.setPaintProperty('lines', 'line-color', ink['map-line'])
      this.#base.setPaintProperty('chosen', 'line-color', ink.text)
    }
    this.#draw()
  }

  /** All there are: when devices, alarms or the shown property are others. */
  markers(list: readonly Marker[]): void {
    this.#markers.set(list)
    this.#signs = list.flatMap((one, i) => (one.alarm ? [i] : []))
    this.#placed = false
    this.#draw()
  }

  /** A value that has just come, as its place on the ramp (null: coloured by state): as often as they come. */
  value(thing: string, share: number | null, state: State): void {
    if (this.#markers.value(thing, share, state)) this.#draw()
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

  /** What a click here means: the nearest device, else the area below. */
  #at(x: number, y: number): Pick {
    this.#place()
    const hit = this.#markers.list[this.#markers.hit(x, y, REACH)]
    if (hit) return { area: null, thing: hit.thing }
    const [below] = this.#base.getLayer('areas') ? this.#base.queryRenderedFeatures([x, y], { layers: ['areas'] }) : []
    return { area: (below?.properties.code as string | undefined) ?? null, thing: null }
  }

  #point(x: number, y: number): void {
    this.#place()
    const thing = this.#markers.list[this.#markers.hit(x, y, REACH)]?.thing ?? null
    if (thing === this.#pointed) return
    this.#pointed = thing
    this.#base.getCanvas().style.cursor = thing ? 'pointer' : ''
    this.#draw()
  }

  /** Arrows and + - move the map already: a cross in its middle, and Enter picks what is under it. */
  #keys(onpick: (pick: Pick) => void): void {
    const canvas = this.#base.getCanvas()
    const shown = (on: boolean) => {
      this.#keyboard = on
      this.#draw()
    }
    canvas.addEventListener('focus', () => shown(canvas.matches(':focus-visible')))
    canvas.addEventListener('blur', () => shown(false))
    canvas.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') onpick(this.#at(canvas.clientWidth / 2, canvas.clientHeight / 2))
    })
  }

  #draw(): void {
    this.#asked ||= requestAnimationFrame(() => this.#drawNow())
  }

  #place(): void {
    if (this.#placed) return
    const { clientWidth: width, clientHeight: height } = this.#base.getContainer()
    const { lng, lat } = this.#base.getCenter()
    const world = 512 * 2 ** this.#base.getZoom()
    this.#markers.place({ x: mercatorX(lng), y: mercatorY(lat), world, width, height }, MARGIN)
    this.#placed = true
  }

  #drawNow(): void {
    cancelAnimationFrame(this.#asked)
    this.#asked = 0
    this.#place()
    const { clientWidth: width, clientHeight: height } = this.#base.getContainer()
    const ratio = devicePixelRatio
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (this.#canvas.width !== across || this.#canvas.height !== down) {
      this.#canvas.width = across
      this.#canvas.height = down
      this.#canvas.style.width = `${width}px`
      this.#canvas.style.height = `${height}px`
    }
    const pen = this.#canvas.getContext('2d')
    if (!pen || across === 0 || down === 0) return
    const radius = this.#base.getZoom() > 10 ? 5.5 : 3.5
    const made = `${radius} ${ratio}`
    if (this.#sprites?.made !== made) this.#sprites = { ...sprites(radius, ratio, this.#ink), made }
    const { looks: pictures, size } = this.#sprites
    const { list, left, top, looks, shown, count } = this.#markers
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.clearRect(0, 0, across, down)
    if (this.#ground?.width !== across || this.#ground.height !== down) this.#ground = new ImageData(across, down)
    const pixels = new Int32Array(this.#ground.data.buffer).fill(0)
    for (let at = 0; at < count; at++) {
      const i = shown[at]!
      const x = Math.round(left[i]! * ratio - size / 2)
      const y = Math.round(top[i]! * ratio - size / 2)
      stamp(pixels, across, down, x, y, pictures[looks[i]!]!)
    }
    pen.putImageData(this.#ground, 0, 0)
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    for (const i of this.#signs) sign(pen, left[i]!, top[i]!, list[i]!.alarm!, this.#ink)
    const selected = this.#markers.of(this.#selected.thing)
    if (selected >= 0) chosen(pen, left[selected]!, top[selected]!, radius, this.#ink)
    const pointed = this.#markers.of(this.#pointed)
    if (pointed >= 0) name(pen, left[pointed]!, top[pointed]!, list[pointed]!.label, this.#ink)
    if (this.#keyboard) cross(pen, width / 2, height / 2, this.#ink)
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
