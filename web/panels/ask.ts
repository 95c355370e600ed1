/** Series of several Datastreams in one go. */
import { Problem, ask } from '../wall/data/api'
import type { Series } from '../wall/data/types'

/** Ids as keys; null where there is none (any more), or no right to it. `points` fit the screen. Throws as `ask`. */
export async function series(
  ids: readonly number[],
  { from, to }: { from: number; to: number },
  points: number,
  signal: AbortSignal,
): Promise<Map<number, Series | null>> {
  const span = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}&width=${points}`
  const found = await Promise.all(
    ids.map(async (id): Promise<[number, Series | null]> => {
      try {
        return [id, await ask<Series>(`/api/datastreams/${id}/series?${span}`, { signal })]
      } catch (error) {
        if (error instanceof Problem && [403, 404].includes(error.status)) return [id, null]
        throw error
      }
    }),
  )
  return new Map(found)
}
