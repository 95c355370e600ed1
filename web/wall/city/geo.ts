/** The province as a small flat drawing: longitude and latitude to a box of pixels. Pure. */
import type { Feature, FeatureCollection, Geometry } from 'geojson'

export type Areas = FeatureCollection<Geometry | null, { code: string; name: string; schematic: boolean }>
export interface Projection {
  x: (longitude: number) => number
  y: (latitude: number) => number
  width: number
  height: number
}

/** Fits all places into a box of px; a degree of longitude is as long as it is at that latitude. Null: there are none. */
export function fit(
  places: readonly (readonly [number, number])[],
  width: number,
  height: number,
  air: number,
): Projection | null {
  if (places.length === 0) return null
  const [west, east, south, north] = extent(places)
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180)
  const wide = Math.max((east - west) * squeeze, SMALLEST)
  const tall = Math.max(north - south, SMALLEST)
  const unit = Math.min(Math.max(1, width - 2 * air) / wide, Math.max(1, height - 2 * air) / tall)
  const [x, y] = [(west + east) / 2, (south + north) / 2]
  return {
    x: (longitude) => width / 2 + (longitude - x) * squeeze * unit,
    y: (latitude) => height / 2 + (y - latitude) * unit,
    width,
    height,
  }
}

const SMALLEST = 0.03 // degrees: a single place is not drawn as a world

function extent(places: readonly (readonly [number, number])[]): [number, number, number, number] {
  let [west, east, south, north] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const [longitude, latitude] of places) {
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
  }
  return [west, east, south, north]
}

/** What to show: the whole province, or the places alone where they stand in a small part of it. */
export function focus(
  outlines: readonly (readonly [number, number])[],
  places: readonly (readonly [number, number])[],
): readonly (readonly [number, number])[] {
  if (places.length < 2 || outlines.length === 0) return outlines.length ? outlines : places
  const size = (of: readonly (readonly [number, number])[]) => {
    const [west, east, south, north] = extent(of)
    return Math.max(east - west, north - south)
  }
  return size(places) < size(outlines) / 4 ? places : outlines
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
    .map(
      (ring) =>
        `M${ring.map(([longitude, latitude]) => `${x(longitude).toFixed(1)} ${y(latitude).toFixed(1)}`).join('L')}Z`,
    )
    .join('')
}

/** Chips that would lie on each other are moved apart: downwards, and up again from the lower edge at `bottom`; px. */
export function spread<T extends { x: number; y: number }>(
  chips: readonly T[],
  wide: number,
  tall: number,
  bottom = Infinity,
): T[] {
  const down = apart([...chips].sort((a, b) => a.y - b.y), wide, tall, 1) // prettier-ignore
  const held = down.map((one) => ({ ...one, y: Math.min(one.y, bottom) })).sort((a, b) => b.y - a.y)
  return apart(held, wide, tall, -1)
}

function apart<T extends { x: number; y: number }>(chips: readonly T[], wide: number, tall: number, way: 1 | -1): T[] {
  const placed: T[] = []
  for (const chip of chips) {
    let y = chip.y
    for (let tries = 0; tries < 30; tries++) {
      const hit = placed.find((one) => Math.abs(one.x - chip.x) < wide && Math.abs(one.y - y) < tall - 0.01)
      if (!hit) break
      y = hit.y + way * tall
    }
    placed.push({ ...chip, y })
  }
  return placed
}
