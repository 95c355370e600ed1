/** Whether the server answers at all, and since when it does not: one banner for the whole page. */
class Link {
  /** Since when there is silence, ms; null while answers come. */
  lost = $state<number | null>(null)
  /** The last outage that ended: how long it was, and when it ended, ms. */
  outage = $state.raw<{ length: number; until: number } | null>(null)

  answered(): void {
    if (this.lost === null) return
    const until = Date.now()
    this.outage = { length: until - this.lost, until }
    this.lost = null
  }

  silent(): void {
    this.lost ??= Date.now()
  }
}

export const link = new Link()
