/** Geofences as people write them: corners, one a line, latitude before longitude as on every map. Pure; degrees. */

export type Corner = readonly [longitude: number, latitude: number]
type Json = Record<string, unknown>
const ROUND = 24 // corners of a circle
const EARTH = 6_371_008.8 // m, mean radius

/** The corners of a polygon of one ring, as text; null: it is something else (several parts, holes). */
export function cornersOf(polygon: unknown): string | null {
  const { type, coordinates } = (typeof polygon === 'object' && polygon !== null ? polygon : {}) as Json
  const rings = type === 'Polygon' && Array.isArray(coordinates) ? (coordinates as unknown[]) : []
  const ring = rings.length === 1 && Array.isArray(rings[0]) ? (rings[0] as unknown[]) : []
  const corner = (one: unknown) => Array.isArray(one) && one.length === 2 && one.every((x) => typeof x === 'number')
  if (ring.length < 2 || !ring.every(corner)) return null
  const closed = JSON.stringify(ring[0]) === JSON.stringify(ring.at(-1))
  return closed ? written((ring as [number, number][]).slice(0, -1)) : null
}

export function written(corners: readonly Corner[]): string {
  return corners.map(([longitude, latitude]) => `${latitude}, ${longitude}`).join('\n')
}

/** What can be read of a text; lines that are no corner are left out. */
export function read(text: string): Corner[] {
  return text.split('\n').flatMap((line): Corner[] => {
    const [latitude, longitude] = line.split(/[,;\s]+/).filter(Boolean).map(Number) // prettier-ignore
    const fits = Math.abs(latitude ?? NaN) <= 90 && Math.abs(longitude ?? NaN) <= 180
    return fits ? [[longitude!, latitude!]] : []
  })
}

/** A GeoJSON Polygon of a text. A line that is no corner stands in it as it is: the server says where it is wrong. */
export function ringOf(text: string): Json {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const corners = lines.map((line): unknown => read(line)[0] ?? line.trim())
  return { type: 'Polygon', coordinates: [corners.length ? [...corners, corners[0]] : []] }
}

/** Corners of a circle, `radius` in m. */
export function circle([longitude, latitude]: Corner, radius: number): Corner[] {
  const turn = (180 / Math.PI) * (radius / EARTH)
  const wide = turn / Math.max(0.01, Math.cos((latitude * Math.PI) / 180))
  const five = (value: number) => Number(value.toFixed(6))
  return Array.from({ length: ROUND }, (_, i): Corner => {
    const angle = (i / ROUND) * 2 * Math.PI
    return [five(longitude + wide * Math.sin(angle)), five(latitude + turn * Math.cos(angle))]
  })
}

/** Where a Thing was: a moment, ms, and a place. */
export interface Spot {
  at: number
  place: Corner
}

/** Positions from values that are GeoJSON Points. */
export function spots(items: readonly { time: string; value?: unknown }[]): Spot[] {
  return items.flatMap(({ time, value }): Spot[] => {
    const { type, coordinates } = (typeof value === 'object' && value !== null ? value : {}) as Json
    const [x, y] = type === 'Point' && Array.isArray(coordinates) ? (coordinates as unknown[]) : []
    return typeof x === 'number' && typeof y === 'number' ? [{ at: Date.parse(time), place: [x, y] }] : []
  })
}

/** Positions from two series that hold one coordinate each: those of the same moment. Times in s, as `line` gives them. */
export function joined(
  longitude: { times: readonly number[]; values: readonly (number | null)[] },
  latitude: { times: readonly number[]; values: readonly (number | null)[] },
): Spot[] {
  const north = new Map(latitude.times.map((at, i) => [at, latitude.values[i]]))
  return longitude.times.flatMap((at, i): Spot[] => {
    const [x, y] = [longitude.values[i], north.get(at)]
    return typeof x === 'number' && typeof y === 'number' ? [{ at: at * 1000, place: [x, y] }] : []
  })
}
