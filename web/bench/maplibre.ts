/** The same markers as a circle layer of MapLibre, its source set anew as values come. */
import 'maplibre-gl/dist/maplibre-gl.css'
import { type GeoJSONSource, Map as Base, setWorkerUrl } from 'maplibre-gl'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import type { Feature, FeatureCollection, Point } from 'geojson'
import type { Draw, Subscription } from './main'

export async function begin(box: HTMLElement, { mirror }: Subscription): Promise<Draw> {
  setWorkerUrl(worker)
  box.style.cssText = 'position:absolute;inset:0'
  const areas = (await (await fetch('/api/areas')).json()) as FeatureCollection
  const base = new Base({
    container: box,
    style: { version: 8, sources: {}, layers: [] },
    bounds: [105.25, 21.3, 106.35, 22.75],
    attributionControl: false,
    fadeDuration: 0,
  })
  await new Promise((done) => base.once('load', done))
  areas.features = areas.features.filter((one) => (one.geometry as unknown) !== null)
  base.addSource('areas', { type: 'geojson', data: areas })
  base.addLayer({ id: 'areas', type: 'fill', source: 'areas', paint: { 'fill-color': '#171d25' } })
  base.addLayer({ id: 'lines', type: 'line', source: 'areas', paint: { 'line-color': '#4c5864' } })
  const points = new Map<number, Feature<Point>>()
  for (const thing of mirror.things.values())
    for (const stream of thing.streams)
      if (thing.location)
        points.set(stream.id, {
          type: 'Feature',
          properties: { value: (mirror.values.get(stream.id)?.result as number | undefined) ?? 0 },
          geometry: { type: 'Point', coordinates: thing.location },
        })
  const data: FeatureCollection = { type: 'FeatureCollection', features: [...points.values()] }
  base.addSource('points', { type: 'geojson', data })
  base.addLayer({
    id: 'points',
    type: 'circle',
    source: 'points',
    paint: {
      'circle-radius': 3.5,
      'circle-color': ['interpolate', ['linear'], ['get', 'value'], 20, '#222b45', 80, '#8fa0ff'],
    },
  })
  // An update can be seen once the worker has made its tile of it: how often that was, a tile.
  const tiles = new Set<string>()
  let made = 0
  const shown = {
    get count() {
      return tiles.size && made / tiles.size
    },
  }
  Object.assign(window, { shown })
  base.on('data', (event) => {
    if (event.dataType !== 'source' || event.sourceId !== 'points' || !event.coord) return
    tiles.add(event.coord.key)
    made += 1
  })
  return (streams) => {
    for (const id of streams) {
      const point = points.get(id)
      if (point) point.properties!.value = mirror.values.get(id)?.result
    }
    void base.getSource<GeoJSONSource>('points')!.setData(data)
  }
}
