import { expect, it } from 'vitest'
import { place } from './place'

it('a point keeps its place on a picture that is cut or framed', () => {
  const box = { width: 200, height: 100 }
  const picture = { width: 640, height: 480 }
  expect(place(box, picture, 'cover', 0.5, 0.5)).toEqual({ left: 100, top: 50 })
  expect(place(box, picture, 'contain', 0.5, 0.5)).toEqual({ left: 100, top: 50 })
  // Covering, the picture is 200 by 150: its upper edge is 25 above the box.
  expect(place(box, picture, 'cover', 0, 0)).toEqual({ left: 0, top: -25 })
  // Contained, it is 133 by 100: its left edge is 33 inside.
  expect(place(box, picture, 'contain', 0, 1).left).toBeCloseTo(33.3, 1)
  expect(place(box, picture, 'contain', 0, 1).top).toBe(100)
})
