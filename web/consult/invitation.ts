/** What the address brings: a join token in the fragment, which no server's log ever sees, and which leaves the address
 *  bar at once. Kept for this tab, so that a reload does not lose it. */
import type { Store } from './protocol/outbox'

/** sessionStorage as a Store; a browser that forbids it keeps everything for this page alone. */
export function tabStore(prefix: string): Store {
  const memory = new Map<string, string>()
  return {
    get(key) {
      try {
        return sessionStorage.getItem(prefix + key)
      } catch {
        return memory.get(key) ?? null
      }
    },
    set(key, value) {
      try {
        if (value === null) sessionStorage.removeItem(prefix + key)
        else sessionStorage.setItem(prefix + key, value)
      } catch {
        if (value === null) memory.delete(key)
        else memory.set(key, value)
      }
    },
  }
}

/** `#token=…` of an address, or null. */
export function tokenOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') || null
}

/** Addresses of the server, relative to the page (`…/ui/consult/`): a proxy may add its own prefix. */
export function addresses(page: string): { socket: string; api: string } {
  const socket = new URL('../../consult', page)
  socket.hash = socket.search = ''
  const api = `${socket.href}/api`
  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:'
  return { socket: socket.href, api }
}
