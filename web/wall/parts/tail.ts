/** A chart's columns (one axis of times, s, a column a line) that grow at their end as values come. Pure. */
export type Columns = [number[], ...(number | null | undefined)[][]]

/** Put one value in its place in time, nearly always the last; the other columns have nothing there. */
export function put(data: Columns, column: number, at: number, value: number | null): void {
  const times = data[0]
  let place = times.length
  while (place > 0 && times[place - 1]! > at) place--
  if (times[place - 1] === at) {
    data[column]![place - 1] = value
    return
  }
  const end = place === times.length
  if (end) times.push(at)
  else times.splice(place, 0, at)
  const [, ...columns] = data
  columns.forEach((one, i) => {
    const mine = i + 1 === column ? value : undefined
    if (end) one.push(mine)
    else one.splice(place, 0, mine)
  })
}

/** Take away what is before `from`, but for one point that a line comes in from; in strides, since moving all the rest for
 *  each point costs more than drawing it. */
export function trim(data: Columns, from: number): void {
  const times = data[0]
  const stride = Math.max(64, times.length >> 3)
  if ((times[stride] ?? Infinity) >= from) return
  let gone = stride
  while ((times[gone + 1] ?? Infinity) < from) gone++
  for (const column of data) column.splice(0, gone)
}

/** A value of the `line`-th of a chart's lines; `at` in s. */
export interface Fresh {
  line: number
  at: number
  value: number | null
}

/** Take one more into what has come lately: what is older than `kept` s goes, half of the list at once, and so do the first
 *  of more than `most`. */
export function remember(lately: Fresh[], one: Fresh, kept: number, most: number): void {
  const half = lately.length >> 1
  if (half >= most >> 1 || (half >= 32 && lately[half]!.at < one.at - kept)) lately.splice(0, half)
  lately.push(one)
}
