/** Finding by words, with or without Vietnamese marks. Pure. */

/** Lower case without marks: "Cầu Gia Bảy" and "cau gia bay" meet. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/đ/g, 'd')
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
}

/** How well `text` answers `query`: every word of it must be there; higher is better, 0 is not at all. */
export function score(query: string, text: string): number {
  const words = plain(query).split(/\s+/).filter(Boolean)
  if (words.length === 0) return 1
  const whole = plain(text)
  let sum = 0
  for (const word of words) {
    const at = whole.indexOf(word)
    if (at < 0) return 0
    sum += at === 0 ? 4 : /[\s\-_/·]/.test(whole.charAt(at - 1)) ? 3 : 1
  }
  return sum / words.length + 1 / (1 + whole.length)
}

/** The best `most` of `items`, best first; the order of equals is kept. */
export function best<T>(items: readonly T[], query: string, text: (item: T) => string, most: number): T[] {
  return items
    .map((item) => ({ item, rank: score(query, text(item)) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank)
    .slice(0, most)
    .map(({ item }) => item)
}
