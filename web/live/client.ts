/** The live protocol's client: one WebSocket for any number of subscriptions, which comes back by itself and goes on from
 *  where each stood. Knows no UI. docs/live-protocol.md is the text of all this.
 *
 *    start() -> connecting -> open <-> connecting (lost, or silent for three beats) ; refused (signed out, not allowed)
 *
 *  Refused is not the end: it looks again every half minute, and at once on `refresh()` (after a sign-in). */
import { wait } from '../consult/protocol/backoff'
import { type Clock, realClock } from '../consult/protocol/clock'
import { Events } from '../consult/protocol/events'
import { CLOSE, type ClientMessage, type Filter, type HubMessage, type Problem, type Subscribe } from './messages'
import { type Changes, Mirror } from './mirror'

const GREETING = 8000 // ms from opening a socket to its hello
const BEAT = 2 // s, until the hub has said its own
const SILENT = 3 // beats
const REFUSED = 30_000 // ms between tries after a refusal
const PAUSE = 3000 // ms at least after the hub said that it is full, or that we talk too much

/** The browser's WebSocket, or a test's. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  send(text: string): void
  close(code?: number): void
}

export type Phase =
  | { name: 'idle' }
  /** `since`: when the link was lost, by this machine's clock: ms. `was`: whether it had been open before. */
  | { name: 'connecting'; since: number; attempt: number; was: boolean }
  | { name: 'open' }
  | { name: 'refused'; code: number; reason: string }

export interface ClientEvents {
  phase: Phase
  /** The hub reaches its database, or not since that time (µs since 1970): what is shown is as old as that. */
  source: { away: boolean; since: number | null }
}

interface SubscriptionEvents {
  change: Changes
  /** The hub refuses it (`too-many` …): it is not followed. */
  error: Problem
}

export interface Options {
  url: string
  open?: (url: string) => Socket
  clock?: Clock
}

export interface Wanted {
  filter?: Filter
  rate?: number
  values?: boolean
  alarms?: boolean
}

/** One thing that is followed: `mirror` is what there is, `change` says what became another. */
export class Subscription extends Events<SubscriptionEvents> {
  readonly mirror = new Mirror()
  constructor(
    readonly id: string,
    readonly wanted: Wanted,
    readonly close: () => void,
  ) {
    super()
  }
}

export class LiveClient extends Events<ClientEvents> {
  phase: Phase = { name: 'idle' }
  away = false
  readonly #options: Options
  readonly #clock: Clock
  readonly #subscriptions = new Map<string, Subscription>()
  #socket: Socket | null = null
  #cancel: (() => void) | null = null
  #attempt = 0
  #lostAt = 0
  #opened = false
  #signedOut = 0
  #next = 0
  #beat = BEAT

  constructor(options: Options) {
    super()
    this.#options = options
    this.#clock = options.clock ?? realClock
  }

  start(): void {
    if (this.phase.name !== 'idle') return
    this.#lostAt = this.#clock.now()
    this.#connect()
  }

  stop(): void {
    this.#drop()
    this.#set({ name: 'idle' })
  }

  /** Look again now: after a sign-in, or when the machine has another network. */
  refresh(): void {
    if (this.phase.name === 'idle') return
    this.#drop()
    this.#attempt = this.#signedOut = 0
    this.#connect()
  }

  /** Follow; it goes on across lost links until `close()`. */
  follow(wanted: Wanted = {}): Subscription {
    this.#next += 1
    const id = `s${this.#next}`
    const subscription = new Subscription(id, wanted, () => {
      this.#subscriptions.delete(id)
      this.#send({ op: 'unsubscribe', id })
    })
    this.#subscriptions.set(id, subscription)
    this.#ask(subscription)
    return subscription
  }

  #set(phase: Phase): void {
    this.phase = phase
    this.emit('phase', phase)
  }

  #send(message: ClientMessage): void {
    if (this.phase.name === 'open') this.#socket?.send(JSON.stringify(message))
  }

  #ask(subscription: Subscription): void {
    const message: Subscribe = { op: 'subscribe', id: subscription.id, ...subscription.wanted }
    if (subscription.mirror.seq !== null) message.after = subscription.mirror.seq
    this.#send(message)
  }

  #later(ms: number, then: () => void): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, then)
  }

  #drop(): void {
    this.#cancel?.()
    this.#cancel = null
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(1000)
  }

  #connect(): void {
    this.#set({ name: 'connecting', since: this.#lostAt, attempt: this.#attempt, was: this.#opened })
    const socket = (this.#options.open ?? ((url) => new WebSocket(url) as unknown as Socket))(this.#options.url)
    this.#socket = socket
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data)
    }
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code, event.reason)
    }
    this.#later(GREETING, () => this.#lost(1006, ''))
  }

  #lost(code: number, reason: string): void {
    this.#drop()
    if (this.phase.name === 'open') this.#lostAt = this.#clock.now()
    // A cookie that was renewed while the socket was open is the usual reason: once more at once, with the new one.
    if (code === CLOSE.SIGNED_OUT && this.#signedOut === 0) {
      this.#signedOut = 1
      return this.#connect()
    }
    if (code === CLOSE.SIGNED_OUT || code === CLOSE.FORBIDDEN || code === CLOSE.MALFORMED || code === 1009) {
      this.#set({ name: 'refused', code, reason })
      return this.#later(REFUSED, () => this.#connect())
    }
    const least = code === CLOSE.FULL || code === CLOSE.FLOODING ? PAUSE : 0
    const pause = Math.max(least, wait(this.#attempt, this.#clock.random()))
    this.#attempt += 1
    this.#set({ name: 'connecting', since: this.#lostAt, attempt: this.#attempt, was: this.#opened })
    this.#later(pause, () => this.#connect())
  }

  #receive(data: unknown): void {
    const message = parse(data)
    if (!message) return
    this.#later(this.#beat * SILENT * 1000, () => this.#lost(1006, ''))
    switch (message.op) {
      case 'hello':
        this.#beat = message.beat
        this.#attempt = this.#signedOut = 0
        this.#opened = true
        this.#set({ name: 'open' })
        for (const subscription of this.#subscriptions.values()) this.#ask(subscription)
        break
      case 'beat':
        this.#source(message.source === 'away', message.since ?? null)
        break
      case 'error':
        if (message.id) this.#subscriptions.get(message.id)?.emit('error', message)
        break
      case 'snapshot':
      case 'events':
      case 'resumed': {
        const subscription = this.#subscriptions.get(message.id)
        const changes = subscription?.mirror.apply(message)
        if (changes) subscription?.emit('change', changes)
        else if (subscription) this.#send({ op: 'resync', id: message.id })
      }
    }
  }

  #source(away: boolean, since: number | null): void {
    if (away === this.away) return
    this.away = away
    this.emit('source', { away, since })
  }
}

/** A hub's frame; null for what this version does not know: a newer hub may say more. */
function parse(data: unknown): HubMessage | null {
  if (typeof data !== 'string') return null
  try {
    const message: unknown = JSON.parse(data)
    return typeof message === 'object' && message !== null && 'op' in message ? (message as HubMessage) : null
  } catch {
    return null
  }
}

/** The hub of the server that this page came from. */
export function hubUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`
}
