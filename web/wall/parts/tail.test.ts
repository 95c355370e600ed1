import { expect, it } from 'vitest'
import { Frames } from './frames'
import { type Columns, type Fresh, put, remember, trim } from './tail'

it('a value stands in its place in time, whenever it comes', () => {
  const data: Columns = [[], [], []]
  put(data, 1, 10, 1)
  put(data, 2, 20, 5)
  put(data, 1, 20, 2)
  put(data, 1, 15, null)
  put(data, 2, 5, 9)
  put(data, 1, 10, 3)
  expect(data).toEqual([
    [5, 10, 15, 20],
    [undefined, 3, null, 2],
    [9, undefined, undefined, 5],
  ])
})

it('what left the window goes, and the line still comes in from outside', () => {
  const data: Columns = [[], []]
  let most = 0
  for (let at = 0; at < 10_000; at++) {
    put(data, 1, at, at)
    trim(data, at - 1000)
    most = Math.max(most, data[0].length)
    expect(data[0][0]!).toBeLessThanOrEqual(Math.max(0, at - 1000))
  }
  expect(most).toBeLessThan(1300)
  expect(data[1]).toEqual(data[0])
})

it('what came lately is known as long as it is wanted, however long one looks', () => {
  for (const step of [0.01, 0.1, 60]) {
    const lately: Fresh[] = []
    let [most, missing] = [0, 0]
    for (let i = 0; i < 10_000; i++) {
      remember(lately, { line: 0, at: i * step, value: i }, 120, 4096)
      most = Math.max(most, lately.length)
      missing = Math.max(missing, Math.min(i, 120 / step, 2000) - lately.length)
    }
    expect(missing).toBeLessThanOrEqual(0)
    expect(most).toBeLessThanOrEqual(Math.min(4096, Math.max(64, 2 + 240 / step)))
  }
})

function made() {
  const stage = {
    time: 0,
    tick: null as (() => void) | null,
    step(): boolean {
      const { tick } = stage
      stage.tick = null
      tick?.()
      return tick !== null
    },
  }
  const frames = new Frames((then) => (stage.tick = then), () => stage.time, 6) // prettier-ignore
  return { stage, frames }
}

it('a frame has a budget, nobody waits for ever, and who asks twice is drawn once', () => {
  const { stage, frames } = made()
  const drawn: number[] = []
  const charts = Array.from({ length: 5 }, (_, i) => () => {
    drawn.push(i)
    stage.time += 4
    if (i === 0) frames.ask(charts[0]!) // one that always wants more
  })
  for (const chart of [...charts, ...charts]) frames.ask(chart)
  stage.step()
  expect(drawn).toEqual([0, 1])
  stage.step()
  expect(drawn).toEqual([0, 1, 2, 3])
  stage.step()
  expect(drawn).toEqual([0, 1, 2, 3, 4, 0])
})

it('one that fails or leaves does not hold up the others', () => {
  const { stage, frames } = made()
  const drawn: string[] = []
  const gone = () => drawn.push('gone')
  frames.ask(() => {
    throw new Error('mine')
  })
  frames.ask(gone)
  frames.ask(() => drawn.push('here'))
  frames.forget(gone)
  expect(() => stage.step()).toThrow('mine')
  expect(stage.step()).toBe(true)
  expect(drawn).toEqual(['here'])
  expect(stage.step()).toBe(false)
})
