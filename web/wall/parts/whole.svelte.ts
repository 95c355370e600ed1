/** The rows of a list that nobody can scroll: as many as its height shows whole. `{@attach rows.measure}` on the list; its
 *  rows are as high as its first, the one with the number of the others is REST high. */
import { look } from '$ui/look.svelte'
import { whole } from './whole'

/** CSS px at a desk. */
export const REST = 22

export class WholeRows {
  #room = $state(0)
  #row = $state(0)

  readonly measure = (list: HTMLElement): (() => void) => {
    const measure = () => {
      this.#room = list.clientHeight
      if (list.children.length > 1) this.#row = (list.children[1] as HTMLElement).offsetTop - (list.children[0] as HTMLElement).offsetTop // prettier-ignore
    }
    const sizes = new ResizeObserver(measure)
    const rows = new MutationObserver(measure)
    sizes.observe(list)
    rows.observe(list, { childList: true })
    return () => {
      sizes.disconnect()
      rows.disconnect()
    }
  }

  /** Of so many. */
  of(count: number): number {
    return whole(count, this.#room, this.#row, REST * look.scale)
  }
}
