/** The province as a small flat drawing: longitude and latitude to a box of pixels. Pure. */
import type { Feature, FeatureCollection, Geometry } from 'geojson'

export type Areas = FeatureCollection<Geometry | null, { code: string; name: string; schematic: boolean }>
export interface Projection {
  x: (longitude: number) => number
  y: (latitude: number) => number
  width: number
  height: number
}

const WIDTH = 600

/** Fits all places into WIDTH px; a degree of longitude is as long as it is at that latitude. Null: there are none. */
export function fit(places: readonly (readonly [number, number])[], air: number): Projection | null {
  if (places.length === 0) return null
  const longitudes = places.map((one) => one[0])
  const latitudes = places.map((one) => one[1])
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)]
  const [south, north] = [Math.min(...latitudes), Math.max(...latitudes)]
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180)
  const wide = Math.max((east - west) * squeeze, 0.02)
  const tall = Math.max(north - south, wide * 0.6)
  const unit = (WIDTH - 2 * air) / wide
  const height = tall * unit + 2 * air
  return {
    x: (longitude) => air + ((longitude - west) * squeeze + Math.max(0, wide - (east - west) * squeeze) / 2) * unit,
    y: (latitude) => air + (north - latitude + (tall - (north - south)) / 2) * unit,
    width: WIDTH,
    height,
  }
}

/** Every point of the outlines. */
export function corners(areas: Areas | null): [number, number][] {
  return (areas?.features ?? []).flatMap((one) => rings(one).flat())
}

/** The outlines of an area, holes and all. */
export function rings(area: Feature<Geometry | null>): [number, number][][] {
  const { geometry } = area
  if (geometry?.type === 'Polygon') return geometry.coordinates as [number, number][][]
  if (geometry?.type === 'MultiPolygon') return geometry.coordinates.flat() as [number, number][][]
  return []
}

export function outline(area: Feature<Geometry | null>, { x, y }: Projection): string {
  return rings(area)
    .map((ring) => `M${ring.map(([longitude, latitude]) => `${x(longitude).toFixed(1)} ${y(latitude).toFixed(1)}`).join('L')}Z`)
    .join('')
}

/** Chips that would lie on each other are moved apart downwards, in the order given; px. */
export function spread<T extends { x: number; y: number }>(chips: readonly T[], wide: number, tall: number): T[] {
  const placed: T[] = []
  for (const chip of [...chips].sort((a, b) => a.y - b.y)) {
    let y = chip.y
    for (let tries = 0; tries < 30; tries++) {
      const hit = placed.find((one) => Math.abs(one.x - chip.x) < wide && Math.abs(one.y - y) < tall)
      if (!hit) break
      y = hit.y + tall
    }
    placed.push({ ...chip, y })
  }
  return placed
}
