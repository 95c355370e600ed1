/** When to try again: at once, then 0.25, 0.5, 1, 2, 4, 5, 5 … s, each shortened by up to a half by chance, so that a
 *  province of pages does not come back in one beat after its server restarted. */
export const LONGEST_WAIT = 5000

/** ms to wait before attempt number `attempt` (0 = the first after a loss). `random` is in [0, 1). */
export function wait(attempt: number, random: number): number {
  if (attempt === 0) return 0
  return Math.min(LONGEST_WAIT, 250 * 2 ** Math.min(attempt - 1, 10)) * (0.5 + random / 2)
}
