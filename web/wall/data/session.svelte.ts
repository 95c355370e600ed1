/** Who looks, and what to do when nobody is signed in: away to the sign-in page, and back here afterwards. */
import { Problem, ask } from './api'
import type { Me } from './types'

class Session {
  me = $state.raw<Me | null>(null)

  /** Whether there is anything on which one may do this operation (tram/identity/operations.py): what one may not do is
   *  not offered. The server decides on each thing in any case. */
  may(operation: string): boolean {
    return this.me?.may?.includes(operation) ?? false
  }

  async start(): Promise<void> {
    const me = await ask<Me>('/api/session')
    if (!me.signed_in || me.restricted) this.leave()
    else this.me = me
  }

  leave(): void {
    // The part after the # stays in this browser: the sign-in page is told the page alone and keeps the rest.
    sessionStorage.setItem('tram.wall.hash', location.hash)
    const looks = location.search.slice(1) // language and theme, where the address asks for them
    location.assign(`/sign-in?${looks && `${looks}&`}next=${encodeURIComponent(location.pathname + location.search)}`)
  }

  /** What an error means for the whole page: true when it was the end of the session. */
  ended(error: unknown): boolean {
    if (!(error instanceof Problem) || error.status !== 401) return false
    this.leave()
    return true
  }
}

/** The address before signing in, once. */
export function returned(): void {
  const hash = sessionStorage.getItem('tram.wall.hash')
  sessionStorage.removeItem('tram.wall.hash')
  if (hash && !location.hash) location.replace(hash)
}

export const session = new Session()

export async function signOut(): Promise<void> {
  try {
    await ask('/api/session', { method: 'DELETE' })
  } finally {
    location.assign('/sign-in')
  }
}
