/** What was just done, in one line, with the way back: it stays while one goes from a dashboard to the list. */
class Notice {
  said = $state.raw<{ text: string; bad: boolean; undo: (() => void) | null } | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  say(text: string, { undo = null, bad = false }: { undo?: (() => void) | null; bad?: boolean } = {}): void {
    clearTimeout(this.#timer)
    this.said = { text, bad, undo }
    this.#timer = setTimeout(() => (this.said = null), undo ? 20_000 : 8000)
  }

  undo(): void {
    const back = this.said?.undo
    this.done()
    back?.()
  }

  done(): void {
    clearTimeout(this.#timer)
    this.said = null
  }
}

export const notice = new Notice()
