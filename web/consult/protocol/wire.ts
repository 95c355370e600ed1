/** What the protocol client is given and what it tells. */
import type { Bye, ServerMessage } from '../messages'
import type { Clock } from './clock'
import type { Outbox, Store } from './outbox'

/** The part of a WebSocket that is used. */
export interface Socket {
  send(text: string): void
  close(code?: number, reason?: string): void
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
}

export type Phase =
  | { name: 'idle' }
  /** Not joined since `since`; `attempt` counts the sockets tried. `was`: had been joined before. */
  | { name: 'connecting'; since: number; attempt: number; was: boolean; code: string }
  | { name: 'joined'; since: number }
  /** It does not come back; `bye.code` says why. */
  | { name: 'over'; bye: Bye }

type ServerMap = { [M in ServerMessage as M['type']]: M }
export interface ClientEvents extends ServerMap {
  phase: Phase
  /** Joined again after a loss of `away` ms: of the link, of the server's process, or by reloading the page. */
  back: { away: number; why: Why }
  /** What waits to be sent has changed. */
  outbox: Outbox
}

export type Why = 'link' | 'server' | 'reload'

export interface Options {
  url: string
  /** A join token; without it the kept resume word is used. */
  token?: string | undefined
  store: Store
  open: (url: string) => Socket
  /** A small request to the same server; true when it was answered. Without it the backoff alone decides. */
  probe?: () => Promise<boolean>
  clock?: Clock
  /** Named in the server's record of the call, e.g. the browser. */
  client?: string
}

/** A frame of the server, or null: an unknown type is a newer server's and is passed over. */
export function parse(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
      ? (value as ServerMessage)
      : null
  } catch {
    return null
  }
}
