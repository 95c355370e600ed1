/** How many of so many rows a list of that height shows whole. Where not all fit, `rest` px are kept for the number of the
 *  others: "+ 12". Before anything was measured: all. Pure. */
export function whole(count: number, room: number, row: number, rest: number): number {
  if (!(row > 0) || !(room > 0) || count * row <= room + 0.5) return count
  return Math.max(0, Math.min(count - 1, Math.floor((room - rest + 0.5) / row)))
}
