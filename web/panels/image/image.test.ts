import { expect, it } from 'vitest'
import { again, own } from './address'

it('a picture is of this server', () => {
  expect(own(' /camera/a.jpg?x=1 ')).toBe('/camera/a.jpg?x=1')
  for (const other of [
    '',
    'camera.jpg',
    '//evil.vn/a.jpg',
    'https://evil.vn/a.jpg',
    'javascript:alert(1)',
    '/\\evil.vn/a',
    'data:image/png,x',
  ])
    // prettier-ignore
    expect(own(other)).toBeNull()
})

it('asks again past caches', () => {
  expect([again('/a.jpg', 0), again('/a.jpg', 3), again('/a.jpg?q=1', 4)]).toEqual(['/a.jpg', '/a.jpg?_=3', '/a.jpg?q=1&_=4']) // prettier-ignore
})
