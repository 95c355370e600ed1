import { expect, it } from 'vitest'
import { Pace } from './pace'

function stage(cost: number) {
  const clock = { now: 0, due: [] as { at: number; then: () => void }[] }
  const done: number[] = []
  const pace = new Pace(
    () => {
      done.push(clock.now)
      clock.now += cost
      return Promise.resolve()
    },
    250,
    0.05,
    () => clock.now,
    (ms, then) => {
      const one = { at: clock.now + ms, then }
      clock.due.push(one)
      return () => clock.due.splice(clock.due.indexOf(one), 1)
    },
  )
  const pass = async (ms: number) => {
    await Promise.resolve()
    clock.now += ms
    for (const one of clock.due.filter(({ at }) => at <= clock.now)) {
      clock.due.splice(clock.due.indexOf(one), 1)
      one.then()
      await Promise.resolve()
    }
  }
  return { clock, pace, done, pass }
}

it('what comes after a pause is shown at once, what comes fast is gathered, and nothing is forgotten', async () => {
  const { pace, done, pass } = stage(0)
  for (let i = 0; i < 100; i++) {
    pace.ask()
    await pass(10)
  }
  expect(done).toEqual([0, 250, 500, 750, 1000]) // 1000: the last ones that were asked for
  await pass(1000)
  expect(done.length).toBe(5)
})

it('slow work has at most its share', async () => {
  const { pace, done, pass } = stage(50)
  for (let i = 0; i < 1000; i++) {
    pace.ask()
    await pass(10)
  }
  expect(done.length).toBeGreaterThan(5)
  expect(done.length).toBeLessThan(13) // 50 of 1,050 ms
})

it('stopped is stopped', async () => {
  const { pace, done, pass } = stage(0)
  pace.ask()
  pace.ask()
  pace.stop()
  await pass(1000)
  expect(done).toEqual([0])
})
