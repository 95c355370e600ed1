import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { shared } from './shared'

const asked: string[] = []

beforeEach(() => {
  asked.length = 0
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path)
    return Promise.resolve(Response.json({ n: asked.length }))
  })
})
afterEach(() => vi.unstubAllGlobals())

const answered = (poll: { value: unknown }, n: number) => vi.waitFor(() => expect(poll.value).toEqual({ n }))

it('two who look at one address ask once, until both have ended', async () => {
  const [first, second] = [shared('/api/a', 60_000), shared('/api/a', 60_000)]
  expect(second).toBe(first)
  const ends = [first.start(), second.start()]
  await answered(second, 1)
  expect(asked).toEqual(['/api/a'])

  ends[0]!()
  expect(shared('/api/a', 60_000)).toBe(first)
  ends[1]!()
  const third = shared('/api/a', 60_000)
  expect(third).not.toBe(first)
  expect(third.value).toBeNull()
  const end = third.start()
  await answered(third, 2)
  end()
})

it('addresses are asked each for itself', async () => {
  const [a, b] = [shared('/api/a?x=1', 60_000), shared('/api/a?x=2', 60_000)]
  const ends = [a.start(), b.start()]
  await Promise.all([
    vi.waitFor(() => expect(a.value).not.toBeNull()),
    vi.waitFor(() => expect(b.value).not.toBeNull()),
  ])
  expect(asked).toEqual(['/api/a?x=1', '/api/a?x=2'])
  ends.forEach((end) => end())
})
