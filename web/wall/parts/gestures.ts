/** The wheel and the pointer over a chart: Ctrl and wheel zoom, Shift and wheel (or sideways) move, Shift and drag move,
 *  Alt and click mark a moment. Without these keys the page scrolls and uPlot zooms, as everywhere. */
import { moment } from './move'

export interface Moves {
  from: number
  to: number
  /** Without these two the chart stays where it is. */
  onzoom?: (at: number, factor: number) => void
  onslide?: (by: number) => void
  onmark: (at: number) => void
}

/** As a Svelte action of what surrounds a chart. */
export function gestures(node: HTMLElement, given: Moves) {
  let moves = given
  let dragged: number | null = null
  const axis = () => node.querySelector('.u-over')?.getBoundingClientRect()

  function wheel(event: WheelEvent) {
    const area = axis()
    if (!area || !moves.onzoom || !moves.onslide) return
    if (event.ctrlKey || event.metaKey) {
      moves.onzoom(moment(event.clientX - area.left, area.width, moves.from, moves.to), 1.0015 ** event.deltaY)
    } else {
      const across = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX
      if (Math.abs(across) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return
      moves.onslide((across / area.width) * (moves.to - moves.from))
    }
    event.preventDefault()
  }
  function down(event: MouseEvent) {
    if (event.button !== 0 || !(event.altKey || (event.shiftKey && moves.onslide))) return
    const area = axis()
    if (!area) return
    event.stopPropagation() // uPlot would begin a selection
    event.preventDefault()
    if (event.altKey) return moves.onmark(moment(event.clientX - area.left, area.width, moves.from, moves.to))
    dragged = event.clientX
    window.addEventListener('mousemove', drag)
    window.addEventListener('mouseup', up, { once: true })
  }
  function drag(event: MouseEvent) {
    const area = axis()
    if (!area || dragged === null) return
    moves.onslide?.(((dragged - event.clientX) / area.width) * (moves.to - moves.from))
    dragged = event.clientX
  }
  function up() {
    dragged = null
    window.removeEventListener('mousemove', drag)
  }

  node.addEventListener('wheel', wheel, { passive: false })
  node.addEventListener('mousedown', down, true)
  return {
    update(fresh: Moves) {
      moves = fresh
    },
    destroy() {
      up()
      node.removeEventListener('wheel', wheel)
      node.removeEventListener('mousedown', down, true)
    },
  }
}
