import { describe, expect, it } from 'vitest'
import { trouble } from './devices'
import { loudness } from './sound'

describe('why a device cannot be had', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'none'],
    ['OverconstrainedError', 'none'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
    ['TypeError', 'failed'],
  ] as const)('%s: %s', (name, expected) => {
    const error = new Error('x')
    error.name = name
    expect(trouble(error)).toBe(expected)
  })

  it('is never silent about the unknown', () => {
    expect(trouble(undefined)).toBe('failed')
  })
})

describe('loudness', () => {
  it('is nothing for silence and full for a clear voice', () => {
    expect(loudness(new Float32Array(1024))).toBe(0)
    expect(loudness(new Float32Array(1024).fill(0.5))).toBe(1)
    expect(loudness(new Float32Array(0))).toBe(0)
    const quiet = loudness(new Float32Array(1024).fill(0.01))
    expect(quiet).toBeGreaterThan(0.2)
    expect(quiet).toBeLessThan(0.6)
  })
})
