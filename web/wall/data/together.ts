/** Several trends as one: at each place the mean of those that have something there; null: none has. Pure. */
export function together(trends: readonly (readonly (number | null)[])[]): (number | null)[] {
  const length = Math.max(0, ...trends.map((one) => one.length))
  return Array.from({ length }, (_, i) => {
    const there = trends.flatMap((one) => one[i] ?? [])
    return there.length ? there.reduce((a, b) => a + b, 0) / there.length : null
  })
}
