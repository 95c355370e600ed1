/** Drawing that waits for the next frame. Whoever asks twice is drawn once; a frame is given at most `budget` ms, and what
 *  is left comes first in the next: twenty charts that all get a value at once cost no frame. */
export class Frames {
  readonly #waiting = new Set<() => void>()
  #asked = false

  constructor(
    readonly request: (then: () => void) => void = (then) => requestAnimationFrame(then),
    readonly now: () => number = () => performance.now(),
    readonly budget = 6,
  ) {}

  /** One function an asker, the same each time. */
  ask(draw: () => void): void {
    this.#waiting.add(draw)
    this.#next()
  }

  forget(draw: () => void): void {
    this.#waiting.delete(draw)
  }

  #next(): void {
    if (this.#asked || this.#waiting.size === 0) return
    this.#asked = true
    this.request(() => this.#tick())
  }

  #tick(): void {
    this.#asked = false
    const end = this.now() + this.budget
    try {
      for (const draw of this.#waiting) {
        this.#waiting.delete(draw)
        draw()
        if (this.now() >= end) break
      }
    } finally {
      this.#next() // also when one of them failed: the others are not to blame
    }
  }
}

export const frames = new Frames()
