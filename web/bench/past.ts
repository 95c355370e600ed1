/** A window full of points ten times a second, for both kinds of charts: the load is steady from the first moment. */
export function past(n: number, end: number, span: number): { times: number[]; values: number[] } {
  const count = Math.min(span, 300) * 10
  const times = Array.from({ length: count }, (_, i) => end - span + (i * span) / count)
  return { times, values: times.map((at) => 50 + 20 * Math.sin(at / 20 + n) + ((at * 7919) % 5)) }
}
