import { describe, expect, it } from 'vitest'
import { apart } from './place'

describe('a frame for peer connections', () => {
  it('is for browsers on desks that take echo out of all they play', () => {
    for (const platform of ['Windows', 'macOS', 'Linux']) expect(apart({ mobile: false, platform })).toBe(true)
  })

  it('is not for phones, for other systems, nor for browsers that do not say', () => {
    expect(apart({ mobile: true, platform: 'Android' })).toBe(false)
    expect(apart({ mobile: false, platform: 'Android' })).toBe(false)
    expect(apart({ mobile: false, platform: 'Chrome OS' })).toBe(false)
    expect(apart(undefined)).toBe(false)
  })
})
