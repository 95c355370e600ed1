import { expect, it } from 'vitest'
import { End, settled } from './end'

it('an axis moves by whole steps, none too many, and reaches the end', () => {
  for (const step of [0.003, 0.1, 1.11, 86.4]) {
    for (let i = 0; i < 500; i++) {
      const start = 1_795_392_041.3
      const until = settled(start + i * 0.1, start, step)
      expect(until - (start + i * 0.1)).toBeGreaterThan(-1e-5 * step - 1e-6)
      expect(until - (start + i * 0.1)).toBeLessThan(step + 1e-6)
      expect(Math.abs((until - start) / step - Math.round((until - start) / step))).toBeLessThan(1e-3)
    }
  }
  expect(settled(20, 10, Infinity)).toBe(20)
  expect(settled(20, 10, 0)).toBe(20)
})

it('the end alone is drawn while nothing else is other', () => {
  const end = new End()
  const after = (at: number, value: number | null, until = 100): boolean => {
    end.stands(100, 90, 5, 8)
    end.came(at, value)
    return end.alone(until)
  }
  expect(end.alone(100)).toBe(false) // nothing was drawn yet
  expect(after(91, 5)).toBe(true)
  expect(after(99, 8)).toBe(true)
  expect(after(91, 6, 101)).toBe(false) // the axis moves on
  expect(after(90, 6)).toBe(false) // in place of one that is drawn
  expect(after(40, 6)).toBe(false)
  expect(after(91, null)).toBe(false) // a gap begins
  expect(after(91, 4.9)).toBe(false) // values reach further
  expect(after(91, 8.1)).toBe(false)
  end.stands(100, 90, 5, 8)
  end.spoil()
  expect(end.alone(100)).toBe(false)
  end.stands(100, Infinity, Infinity, -Infinity) // no point at all
  end.came(91, 6)
  expect(end.alone(100)).toBe(false)
})
