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

/** A chip's place: its middle, and whether there was room to write on it. */
export type Settled<T> = T & { readonly middle: readonly [number, number]; readonly written: boolean }

/**
 * Writes the chips that there is room for, the first of the list first: where its place is or, of a few chips, one step
 * beside it. The others are dots at their places: a column of moved numbers would say of no place which one is its own.
 * `wide` and `tall` are a chip's own px, with the air about it.
 */
export function settle<T extends { x: number; y: number }>(
  chips: readonly T[],
  wide: number,
  tall: number,
  box: { width: number; height: number },
): Settled<T>[] {
  const written: [number, number][] = []
  const free = ([x, y]: readonly [number, number]) =>
    x >= wide / 2 && x <= box.width - wide / 2 && y >= tall / 2 && y <= box.height - tall / 2 &&
    written.every(([there, above]) => Math.abs(x - there) >= wide || Math.abs(y - above) >= tall) // prettier-ignore
  const [most, steps] =
    chips.length > MANY ? [WORST, STEPS.slice(0, 1)] : [MANY, chips.length > FEW ? STEPS.slice(0, 1) : STEPS]
  return chips.map((chip) => {
    const middle =
      written.length >= most
        ? undefined
        : steps.map(([right, down]) => [chip.x + right * wide, chip.y + down * tall] as [number, number]).find(free)
    if (middle) written.push(middle)
    return { ...chip, middle: middle ?? [chip.x, chip.y], written: middle !== undefined }
  })
}

/** Up to FEW chips may stand beside their places; of more than MANY, WORST are written: the map is to be seen. */
const [FEW, MANY, WORST] = [12, 60, 6]
/** Its own place, then around it; in chips. */
const STEPS = [[0, 0], [0, -1], [0, 1], [1, 0], [-1, 0], [1, -1], [1, 1], [-1, -1], [-1, 1]] as const // prettier-ignore
