/** Time and chance as arguments, so that tests own them. */
export interface Clock {
  /** ms since 1970. */
  now(): number
  /** Run `then` after `ms`; the returned function forgets it. */
  after(ms: number, then: () => void): () => void
  /** In [0, 1). */
  random(): number
}

export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}
