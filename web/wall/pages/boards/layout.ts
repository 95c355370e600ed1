/** Panels on a grid of 12 columns: they fall upwards until they meet another, and make room for the one that is moved.
 *  Pure; docs/adr/0074. */

export const COLUMNS = 12
const LOWEST = 900 // rows

export interface Place {
  id: string
  x: number
  y: number
  w: number
  h: number
}

/** What may be changed of a place, in cells. */
export type Change = Partial<Omit<Place, 'id'>>

export interface Least {
  w: number
  h: number
}

export function overlap(a: Place, b: Place): boolean {
  return a.id !== b.id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

/** From the top, left to right: the order on a phone and for the keyboard. */
export function ordered<T extends Place>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => a.y - b.y || a.x - b.x || (a.id < b.id ? -1 : 1))
}

/** Rows that they take. */
export function rows(items: readonly Place[]): number {
  return Math.max(0, ...items.map((one) => one.y + one.h))
}

/** Inside the grid, and not smaller than `least`. */
export function clamp<T extends Place>(item: T, least: Least = { w: 1, h: 1 }): T {
  const w = Math.min(COLUMNS, Math.max(least.w, item.w))
  const h = Math.max(least.h, Math.min(40, item.h))
  return {
    ...item,
    w,
    h,
    x: Math.min(COLUMNS - w, Math.max(0, item.x)),
    y: Math.min(LOWEST, Math.max(0, item.y)),
  }
}

/** Everything as high as it goes, in order; nothing overlaps. */
export function settle<T extends Place>(items: readonly T[]): T[] {
  const done: T[] = []
  for (const item of ordered(items)) {
    // What lies above it and in its columns holds it up; a later one never rises past an earlier one.
    const floor = done.filter((one) => one.x < item.x + item.w && item.x < one.x + one.w).map((one) => one.y + one.h)
    done.push({ ...item, y: Math.max(0, ...floor) })
  }
  return done
}

/** One of them elsewhere or of another size; the others make room, upwards where there is room above. */
export function change<T extends Place>(items: readonly T[], id: string, to: Change, least?: Least): T[] {
  const before = items.find((one) => one.id === id)
  if (!before) return [...items]
  const moved = clamp({ ...before, ...to }, least)
  let rest = items.filter((one) => one.id !== id)
  for (const other of ordered(rest).filter((one) => overlap(one, moved))) {
    const above = { ...other, y: moved.y - other.h }
    const free = above.y >= 0 && !rest.some((one) => overlap(one, above))
    const to = free ? above : { ...other, y: moved.y + moved.h }
    rest = rest.map((one) => (one.id === other.id ? to : one))
  }
  // The moved one goes before whatever begins in its row or was pushed below it: so it keeps its place.
  return settle([moved, ...apart(moved, rest)])
}

/** What still overlaps is pushed down, one after another, beginning below what was moved. */
function apart<T extends Place>(moved: T, rest: readonly T[]): T[] {
  const done: T[] = [moved]
  for (const item of ordered(rest)) {
    let at = item
    for (let hit = done.find((one) => overlap(one, at)); hit; hit = done.find((one) => overlap(one, at)))
      at = { ...at, y: hit.y + hit.h }
    done.push(at)
  }
  return done.slice(1)
}

/** One step by a key. Down goes past as much as it must to make a difference: panels fall upwards. */
export function nudge<T extends Place>(items: readonly T[], id: string, dx: number, dy: number): T[] {
  const item = items.find((one) => one.id === id)
  if (!item) return [...items]
  const was = JSON.stringify(ordered(settle(items)))
  const reach = dy === 0 ? 1 : rows(items) + 1
  for (let steps = 1; steps <= reach; steps++) {
    const found = change(items, id, { x: item.x + dx * steps, y: item.y + dy * steps })
    if (JSON.stringify(ordered(found)) !== was) return found
  }
  return [...items]
}

export type Step = 'up' | 'down' | 'left' | 'right' | 'wider' | 'narrower' | 'taller' | 'shorter'
const MOVES = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] } as const
const SIZES = { wider: [1, 0], narrower: [-1, 0], taller: [0, 1], shorter: [0, -1] } as const

/** One step by a key or a button. `column`: they are shown one below the other, and up is one earlier in that order. */
export function stepped<T extends Place>(
  items: readonly T[],
  id: string,
  step: Step,
  least?: Least,
  column = false,
): T[] {
  const item = items.find((one) => one.id === id)
  if (!item) return [...items]
  if (step in SIZES) {
    const [dw, dh] = SIZES[step as keyof typeof SIZES]
    return change(items, id, { w: item.w + dw, h: item.h + dh }, least)
  }
  if (column && (step === 'up' || step === 'down')) return passed(items, item, step === 'up' ? -1 : 1)
  const [dx, dy] = MOVES[step as keyof typeof MOVES]
  return nudge(items, id, dx, dy)
}

/** Earlier (-1) or later (1) in the order, by as little as the grid allows. */
function passed<T extends Place>(items: readonly T[], item: T, by: -1 | 1): T[] {
  const order = ordered(items)
  const place = (of: readonly T[]) => ordered(of).findIndex((one) => one.id === item.id)
  const was = place(items)
  const other = order[was + by]
  if (!other) return [...items]
  const put = (mine: Change, theirs: Change) =>
    settle(
      items.map((one) => (one.id === item.id ? clamp({ ...one, ...mine }) : one.id === other.id ? clamp({ ...one, ...theirs }) : one)), // prettier-ignore
    )
  const [left, right] = by < 0 ? [other, item] : [item, other]
  const found = [nudge(items, item.id, 0, by), put({ x: other.x, y: other.y }, { x: item.x, y: item.y })]
  // Beside each other they change places within their row.
  const beside = { x: left.x + right.w, y: left.y }
  if (left.y === right.y) found.unshift(by < 0 ? put({ x: left.x }, beside) : put(beside, { x: left.x }))
  // Where none of these does it, wherever another panel begins or ends.
  for (const y of new Set(order.flatMap((one) => [one.y, one.y + one.h])))
    for (const x of [item.x, 0, other.x]) found.push(change(items, item.id, { x, y }))
  const better = found.filter((one) => (place(one) - was) * by > 0)
  return better.sort((a, b) => Math.abs(place(a) - was) - Math.abs(place(b) - was))[0] ?? [...items]
}

/** The first place, from the top, where a panel of this size fits. */
export function room(items: readonly Place[], w: number, h: number): { x: number; y: number } {
  for (let y = 0; y <= rows(items); y++)
    for (let x = 0; x + w <= COLUMNS; x++)
      if (!items.some((one) => overlap(one, { id: '', x, y, w, h }))) return { x, y }
  return { x: 0, y: rows(items) }
}
