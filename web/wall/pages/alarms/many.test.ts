import { expect, it } from 'vitest'
import { each, ticked } from './many'

it('many are done a few at once, and one that fails stops no other', async () => {
  let at = 0
  let most = 0
  const done: [number, boolean][] = []
  const failures = await each(
    [1, 2, 3, 4, 5, 6, 7],
    async (n) => {
      most = Math.max(most, ++at)
      await Promise.resolve()
      at--
      if (n === 3) throw new Error('no')
    },
    { width: 2, ondone: (n, failed) => done.push([n, failed]) },
  )
  expect(most).toBe(2)
  expect(failures).toEqual([{ item: 3, why: 'no' }])
  expect(done.map(([n]) => n).sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(done.filter(([, failed]) => failed)).toEqual([[3, true]])
})

it('asked too often is asked again; what is stopped leaves the rest undone', async () => {
  let refused = 2
  const work = () => (refused-- > 0 ? Promise.reject(new Error('429')) : Promise.resolve())
  expect(await each([1], work, { width: 4, again: () => true, pause: 1 })).toEqual([])
  const stop = new AbortController()
  const done: number[] = []
  await each([1, 2, 3], async (n) => void (done.push(n), stop.abort()), { width: 1, signal: stop.signal })
  expect(done).toEqual([1])
})

it('a tick turns over; with Shift a stretch goes along, either way', () => {
  const shown = [10, 20, 30, 40]
  const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b)
  expect(sorted(ticked(new Set(), shown, 20, null, false))).toEqual([20])
  expect(sorted(ticked(new Set([20]), shown, 40, 20, true))).toEqual([20, 30, 40])
  expect(sorted(ticked(new Set([20, 30, 40]), shown, 20, 40, true))).toEqual([])
  expect(sorted(ticked(new Set([40]), shown, 10, 40, true))).toEqual([10, 20, 30, 40])
  expect(sorted(ticked(new Set([99]), shown, 30, 99, true))).toEqual([30, 99])
})
