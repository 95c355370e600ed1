/** The range that all tiles show, kept in the address. */
import { type Range, formatRange, parseRange } from './range'
import { router } from './router.svelte'

class CurrentRange {
  readonly value = $derived(parseRange(router.option('range')))

  choose(range: Range): void {
    router.set({ range: formatRange(range) }, true)
  }

  /** Holds at this moment, or follows the present again. */
  toggle(now: number): void {
    this.choose({ span: this.value.span, end: this.value.end === null ? now : null })
  }
}

export const range = new CurrentRange()
