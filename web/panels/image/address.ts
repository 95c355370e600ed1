/** Which address a picture may have. Pure. */

/** One of this very server: pages fetch from no other (Content-Security-Policy), and a link to a camera elsewhere would
 *  tell that host who looks. A camera is put behind the server's proxy. null: it is none. */
export function own(address: string): string | null {
  const text = address.trim()
  if (!text.startsWith('/') || text.startsWith('//') || text.includes('\\')) return null
  try {
    const found = new URL(text, 'http://here.invalid')
    return found.host === 'here.invalid' ? `${found.pathname}${found.search}` : null
  } catch {
    return null
  }
}

/** The same once more, so that no cache answers: a number that changes. */
export function again(address: string, n: number): string {
  return n === 0 ? address : `${address}${address.includes('?') ? '&' : '?'}_=${n}`
}
