import { expect, it } from 'vitest'
import { LEVELS, LOOKS, type Marker, Markers, look, meaning, mercatorX, mercatorY } from './markers'

const marker = (n: number, more: Partial<Marker> = {}): Marker => ({
  thing: `m${n}`,
  label: '',
  longitude: 105 + (n % 100) / 100,
  latitude: 21 + Math.floor(n / 100) / 100,
  state: 'live',
  share: null,
  ...more,
})
const view = { x: mercatorX(105.5), y: mercatorY(21.25), world: 512 * 2 ** 10, width: 1000, height: 800 }

it('a look says state and value, and what looks differ is told', () => {
  for (let at = 0; at < LOOKS; at++) {
    const { state, share } = meaning(at)
    expect(look(state, share)).toBe(at)
  }
  expect(look('live', 1)).toBe(3 + LEVELS - 1)
  expect(look('never', 0.5)).toBe(look('never', null))
  const markers = new Markers()
  markers.set([marker(1, { state: 'late', share: 0.5 })])
  expect(markers.value('m1', 0.5)).toBe(true) // it is late no more
  expect(markers.value('m1', 0.5 + 0.4 / LEVELS)).toBe(false) // the same step of the ramp
  expect(markers.value('nobody', 0)).toBe(false)
})

it('the pole and the antimeridian are at the corner of the map', () => {
  expect(mercatorX(-180)).toBe(0)
  expect(mercatorY(85.051129)).toBeCloseTo(0, 6)
  expect(mercatorY(0)).toBeCloseTo(0.5, 12)
})

it('a hit is the nearest of all, wherever one points', () => {
  const markers = new Markers()
  markers.set(Array.from({ length: 5000 }, (_, n) => marker(n)))
  markers.place(view, 8)
  expect(markers.count).toBeGreaterThan(1000)
  expect(markers.count).toBeLessThan(5000)
  for (let n = 0; n < 200; n++) {
    const [left, top] = [(n * 137) % 1000, (n * 71) % 800]
    let best = -1
    let least = 14 ** 2
    for (const i of markers.shown.subarray(0, markers.count)) {
      const far = (markers.left[i]! - left) ** 2 + (markers.top[i]! - top) ** 2
      if (far < least) [best, least] = [i, far]
    }
    const found = markers.hit(left, top, 14)
    if (best < 0) expect(found).toBe(-1)
    else expect(Math.hypot(markers.left[found]! - left, markers.top[found]! - top)).toBeCloseTo(Math.sqrt(least), 3)
  }
})

it('after another view or list nothing is hit where it was', () => {
  const markers = new Markers()
  markers.set([marker(2550)])
  markers.place(view, 8)
  const [left, top] = [markers.left[0]!, markers.top[0]!]
  expect(markers.hit(left, top, 5)).toBe(0)
  markers.place({ ...view, x: view.x + 0.001 }, 8)
  expect(markers.hit(left, top, 5)).toBe(-1)
  markers.set([])
  markers.place(view, 8)
  expect(markers.hit(left, top, 5)).toBe(-1)
})
