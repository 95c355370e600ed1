/** Something done to many, and which of a list are ticked. Pure. */

export interface Failure<T> {
  item: T
  why: string
}

export interface Each<T> {
  /** At once at most. */
  width: number
  /** Whether it is worth asking once more a little later: the server said that it is asked too often. */
  again?: (error: unknown) => boolean
  /** ms before that; every time. */
  pause?: number
  ondone?: (item: T, failed: boolean) => void
  /** What has not begun then is left, and is no failure. */
  signal?: AbortSignal
}

/** Does `work` to each, in order, a few at once; which failed and why. One that fails keeps no other from being done. */
export async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  { width, again, pause = 1000, ondone, signal }: Each<T>,
): Promise<Failure<T>[]> {
  const failures: Failure<T>[] = []
  let next = 0
  const one = async (item: T): Promise<void> => {
    for (;;) {
      try {
        await work(item)
        return ondone?.(item, false)
      } catch (error) {
        if (again?.(error) && !signal?.aborted) {
          await new Promise((then) => setTimeout(then, pause))
          continue
        }
        failures.push({ item, why: error instanceof Error ? error.message : String(error) })
        return ondone?.(item, true)
      }
    }
  }
  const lane = async () => {
    while (next < items.length && !signal?.aborted) await one(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
  return failures
}

/** The ticks after a click on `id`: it is turned over; with Shift everything from `last` to it becomes what it becomes. */
export function ticked(
  before: ReadonlySet<number>,
  shown: readonly number[],
  id: number,
  last: number | null,
  shift: boolean,
): Set<number> {
  const after = new Set(before)
  const on = !before.has(id)
  const [a, b] = [shown.indexOf(id), last === null ? -1 : shown.indexOf(last)]
  const stretch = shift && a >= 0 && b >= 0 ? shown.slice(Math.min(a, b), Math.max(a, b) + 1) : [id]
  for (const one of stretch) {
    if (on) after.add(one)
    else after.delete(one)
  }
  return after
}

/** How many alarms stand in each area itself, by its code; a storm's entry is none of its own. */
export function perArea(alarms: readonly { area: string | null; kind: string }[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { area, kind } of alarms) if (area && kind === 'alarm') found.set(area, (found.get(area) ?? 0) + 1)
  return found
}
