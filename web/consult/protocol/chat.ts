/** Lines of chat on their way: what was written goes out again, by the other way, until its own line comes back; what
 *  comes in is heard once. */
import type { ChatLine, ClientMessage } from '../messages'
import type { Clock } from './clock'
import { Outbox, type Store } from './outbox'

const CONFIRM_TIMEOUT = 4000 // ms until a chat line that did not come back is sent again

export interface Ways {
  /** Whether anything may be said now. */
  open(): boolean
  /** On the call's data channel; false: not now. */
  talk(text: string): boolean
  /** On the socket. */
  send(message: ClientMessage): void
  /** What waits has changed. */
  changed(outbox: Outbox): void
}

export class Chat {
  readonly outbox: Outbox
  #lines = new Set<number>()
  /** Drafts by id -> when they were sent on the present socket. */
  #posted = new Map<string, number>()
  #again: (() => void) | null = null
  #said = 0

  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly ways: Ways,
  ) {
    this.outbox = new Outbox(store)
  }

  /** The id of the line; null when it cannot be taken (empty, or 100 are waiting). */
  say(text: string): string | null {
    this.#said += 1
    const chance = Math.floor(this.clock.random() * 2 ** 32).toString(36)
    const id = `${this.clock.now().toString(36)}-${this.#said}-${chance}`
    const draft = this.outbox.add(id, text, this.clock.now())
    if (!draft) return null
    this.ways.changed(this.outbox)
    this.post()
    return id
  }

  /** True when the line is news. `mine`: its seat is this one. */
  hear(line: ChatLine, mine: boolean): boolean {
    if (mine && this.outbox.confirm(line.id)) this.ways.changed(this.outbox)
    if (this.#lines.has(line.n)) return false
    this.#lines.add(line.n)
    return true
  }

  /** Another socket: nothing was sent on it yet. */
  anew(): void {
    this.#posted.clear()
    this.post()
  }

  /** Another life of the seat may number its lines anew. */
  forgetLines(): void {
    this.#lines.clear()
  }

  rest(): void {
    this.#again?.()
    this.#again = null
  }

  /** Send the drafts that are not on their way. From the waiting room nothing may be said: they wait for the room. */
  post(): void {
    if (!this.ways.open()) return
    const now = this.clock.now()
    for (const { id, text } of this.outbox.waiting) {
      const sent = this.#posted.get(id)
      if (sent !== undefined && now - sent < CONFIRM_TIMEOUT) continue
      this.#posted.set(id, now)
      const message: ClientMessage = { type: 'chat', id, text }
      // The second time it goes by the other way: the data channel may be the one that lost it.
      if (sent !== undefined || !this.ways.talk(JSON.stringify(message))) this.ways.send(message)
    }
    this.rest()
    if (this.outbox.waiting.length > 0) this.#again = this.clock.after(CONFIRM_TIMEOUT, () => this.post())
  }
}
