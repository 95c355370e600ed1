/** The consult protocol's client: one WebSocket that comes back by itself. Knows no UI and no WebRTC.
 *
 *   start() -> connecting -> joined <-> connecting (lost: backoff, hello {resume}) -> over (a bye without retry)
 *
 * What the server says is handed on by type (`on('room', …)`), in order, each once: an older room, a chat line heard
 * before and a message of a socket that was given up are dropped. docs/consult-protocol.md is the text of all this. */
import type { Bye, ChatLine, ClientMessage, Pong, Presence, Room, ServerMessage, Welcome } from './messages'
import { wait } from './protocol/backoff'
import { type Clock, realClock } from './protocol/clock'
import { Events } from './protocol/events'
import { Outbox } from './protocol/outbox'
import { Prober } from './protocol/prober'
import { type ClientEvents, type Options, type Phase, parse, type Socket } from './protocol/wire'

export type { ClientEvents, Options, Phase, Socket } from './protocol/wire'

export const VERSION = 1
const HELLO_TIMEOUT = 6000 // ms from opening a socket to its welcome
const CONFIRM_TIMEOUT = 4000 // ms until a chat line that did not come back is sent again
const MOST_REDIRECTS = 5
/** 2026-01-01: peer connections are numbered by the seconds since, above any number used before a reload. */
const NUMBERING = 1_767_225_600_000

export class ConsultClient extends Events<ClientEvents> {
  phase: Phase = { name: 'idle' }
  welcome: Welcome | null = null
  room: Room | null = null
  readonly outbox: Outbox
  /** Another way for chat while it is open (the call's data channel); false: not now. */
  talk: (text: string) => boolean = () => false
  /** Server time minus this machine's, ms: ages are right on a machine whose clock is wrong. */
  offset = 0

  readonly #options: Options
  readonly #clock: Clock
  #socket: Socket | null = null
  #joining: Socket | null = null
  #token: string | undefined
  #url: string
  #attempt = 0
  #redirects = 0
  #lostAt: number
  #heard = 0
  #lines = new Set<number>()
  /** Chat drafts by id -> when they were sent on the present socket. */
  #posted = new Map<string, number>()
  #postAgain: (() => void) | null = null
  #cancel = new Set<() => void>()
  #lastWord: Bye | null = null
  #said = 0
  #openedAt = 0
  #greeted = false
  #silentSince: number | null = null
  #beating: (() => void) | null = null
  readonly #prober: Prober

  constructor(options: Options) {
    super()
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#token = options.token
    this.#url = options.url
    this.#lostAt = this.#clock.now()
    this.outbox = new Outbox(options.store)
    this.#prober = new Prober(this.#clock, options.probe, (trip) => this.#found(trip))
  }

  /** Where this seat is, by the newest room. */
  get presence(): Presence | null {
    return this.room?.people.find((person) => person.seat === this.welcome?.seat)?.presence ?? null
  }

  /** Whether there is a token or a kept seat to come back to. */
  get invited(): boolean {
    return this.#token !== undefined || this.#options.store.get('resume') !== null
  }

  start(): void {
    if (this.phase.name !== 'idle') return
    this.#attempt = 0
    this.#lostAt = this.#clock.now()
    this.#connecting('')
    this.#open()
  }

  /** The way is there: a socket that was begun before it was has no part in it. One that may just be slow is left, and one
   *  that said hello too: its token is used up by that. */
  #found(trip: number): boolean {
    if (this.phase.name !== 'connecting') return true
    if (this.#joining && this.#greeted) return false
    if (this.#joining && this.#clock.now() - this.#openedAt < 2 * trip + 250) return false
    this.#forget()
    this.#drop(this.#joining)
    this.#joining = null
    this.#open()
    return true
  }

  /** Try now instead of waiting; when joined, change to a new socket before giving up the old one (new network). */
  refresh(): void {
    if (this.phase.name === 'idle' || this.phase.name === 'over' || this.#joining) return
    this.#forget()
    this.#open()
  }

  /** Close without a word to the server: the seat is kept there for a while. */
  stop(): void {
    this.#forget()
    this.#prober.reset()
    this.#drop(this.#socket)
    this.#drop(this.#joining)
    this.#socket = this.#joining = null
    this.#set({ name: 'idle' })
  }

  /** False when not joined: the message is not kept. */
  send(message: ClientMessage): boolean {
    if (!this.#socket || this.phase.name !== 'joined') return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /** Write a line of chat: now, or when the link is back. Null when it cannot be taken (empty, or 100 are waiting). */
  say(text: string): string | null {
    this.#said += 1
    const chance = Math.floor(this.#clock.random() * 2 ** 32).toString(36)
    const id = `${this.#clock.now().toString(36)}-${this.#said}-${chance}`
    const draft = this.outbox.add(id, text, this.#clock.now())
    if (!draft) return null
    this.emit('outbox', this.outbox)
    this.#post()
    return id
  }

  /** The next peer connection's number: above all before it, also those before a reload. */
  nextPc(): number {
    const kept = Number(this.#options.store.get('pc') ?? 0) || 0
    const next = Math.max(kept + 1, (this.welcome?.pc ?? 0) + 1, Math.floor((this.#clock.now() - NUMBERING) / 1000))
    this.#options.store.set('pc', String(next))
    return next
  }

  /** The server's clock: ms since 1970. */
  serverNow(): number {
    return this.#clock.now() + this.offset
  }

  #set(phase: Phase): void {
    this.phase = phase
    this.emit('phase', phase)
  }

  #connecting(code: string): void {
    const was = this.welcome !== null
    this.#set({ name: 'connecting', since: this.#lostAt, attempt: this.#attempt, was, code })
  }

  #later(ms: number, then: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#cancel.delete(cancel)
      then()
    })
    this.#cancel.add(cancel)
  }

  /** No timer of a socket that is on its way. */
  #forget(): void {
    for (const cancel of this.#cancel) cancel()
    this.#cancel.clear()
    this.#postAgain?.()
    this.#postAgain = null
  }

  #drop(socket: Socket | null): void {
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(1000)
  }

  #open(): void {
    const resume = this.#options.store.get('resume')
    const hello: ClientMessage = { type: 'hello', versions: [VERSION], client: this.#options.client ?? '' }
    if (this.#token !== undefined) hello.token = this.#token
    else if (resume !== null) hello.resume = resume
    else return this.#over({ type: 'bye', code: 'token', message: 'no invitation' })
    let socket: Socket
    try {
      socket = this.#options.open(this.#url)
    } catch {
      return this.#over({ type: 'bye', code: 'malformed', message: 'the address is not that of a consult' })
    }
    this.#joining = socket
    this.#openedAt = this.#clock.now()
    if (this.phase.name === 'connecting') this.#prober.start()
    this.#greeted = false
    socket.onopen = () => {
      this.#greeted = true
      socket.send(JSON.stringify(hello))
    }
    socket.onmessage = (event) => this.#receive(socket, event.data)
    socket.onclose = () => this.#closed(socket)
    this.#later(HELLO_TIMEOUT, () => {
      if (this.#joining !== socket) return
      this.#drop(socket)
      this.#closed(socket)
    })
  }

  #closed(socket: Socket): void {
    const word = this.#lastWord
    this.#lastWord = null
    if (socket === this.#joining) this.#joining = null
    else if (socket === this.#socket) this.#socket = null
    else return
    // A new socket that fails while the old one still serves (refresh) loses nothing.
    if (this.#socket && this.phase.name === 'joined') return
    // Another socket is on its way: a word on the old one (`replaced`) is its doing.
    if (this.#joining && (word || this.phase.name !== 'joined')) return
    if (word && !word.retry) return this.#over(word)
    if (this.phase.name === 'joined') {
      this.#lostAt = this.#silentSince ?? this.#clock.now()
      this.#silentSince = null
      this.#attempt = 0
    }
    if (this.#joining) {
      this.#connecting('')
      return this.#prober.start()
    }
    this.#forget()
    const pause = Math.max(wait(this.#attempt, this.#clock.random()), (word?.after ?? 0) * 1000)
    this.#attempt += 1
    this.#connecting(word?.code ?? '')
    this.#prober.start((word?.after ?? 0) * 1000)
    this.#later(pause, () => this.#open())
  }

  #over(bye: Bye): void {
    this.#forget()
    this.#prober.reset()
    this.#drop(this.#socket)
    this.#drop(this.#joining)
    this.#socket = this.#joining = null
    // 'replaced' is final for this page, not for the seat: another page of the same person holds it now.
    this.#options.store.set('resume', null)
    this.#set({ name: 'over', bye })
  }

  #receive(socket: Socket, data: unknown): void {
    if (socket !== this.#socket && socket !== this.#joining) return
    const message = parse(data)
    if (!message) return
    if (socket === this.#socket) this.#heard = this.#clock.now()
    if (message.type === 'bye') {
      if (socket !== this.#socket && this.#socket && message.retry) return
      this.#lastWord = message
      this.emit('bye', message)
      this.#drop(socket)
      return this.#closed(socket)
    }
    if (message.type === 'redirect') return this.#redirect(socket, message.url)
    if (message.type === 'welcome') return this.#welcomed(socket, message)
    if (socket === this.#socket) this.#handOn(message)
  }

  #redirect(socket: Socket, url: string): void {
    this.#drop(socket)
    this.#joining = null
    this.#redirects += 1
    if (this.#redirects > MOST_REDIRECTS) {
      this.#redirects = 0
      this.#url = this.#options.url
      this.#joining = socket
      return this.#closed(socket)
    }
    this.#url = new URL(url, this.#url).href
    this.#forget()
    this.#open()
  }

  #welcomed(socket: Socket, welcome: Welcome): void {
    if (this.#socket && this.#socket !== socket) this.#drop(this.#socket)
    this.#socket = socket
    this.#joining = null
    this.#token = undefined
    this.#options.store.set('resume', welcome.resume)
    const again = this.phase.name === 'connecting' && this.phase.was
    const away = this.#clock.now() - this.#lostAt
    const moved = this.welcome?.life !== undefined && welcome.life !== this.welcome.life
    const first = this.welcome === null
    // A room of another life of this seat may count its changes anew.
    if (!welcome.resumed) {
      this.room = null
      this.#lines.clear()
    }
    this.welcome = welcome
    this.#attempt = this.#redirects = 0
    this.offset = welcome.now * 1000 - this.#clock.now()
    this.#forget()
    this.#prober.reset()
    this.#set({ name: 'joined', since: this.#clock.now() })
    this.emit('welcome', welcome)
    if (again) this.emit('back', { away, why: moved ? 'server' : 'link' })
    else if (first && welcome.resumed) this.emit('back', { away: (welcome.away_seconds ?? 0) * 1000, why: 'reload' })
    this.#posted.clear()
    this.#beat()
    this.#post()
  }

  #handOn(message: Exclude<ServerMessage, Bye | Welcome | { type: 'redirect' }>): void {
    switch (message.type) {
      case 'room':
        if (this.room && message.rev < this.room.rev) return
        this.room = message
        this.#post()
        break
      case 'chat_line':
        if (!this.hear(message)) return
        break
      case 'pong':
        this.#timed(message)
        break
    }
    this.emit(message.type, message as never)
  }

  /** A chat line from either way: true when it is news. */
  hear(line: ChatLine): boolean {
    if (line.seat === this.welcome?.seat && this.outbox.confirm(line.id)) this.emit('outbox', this.outbox)
    if (this.#lines.has(line.n)) return false
    this.#lines.add(line.n)
    return true
  }

  #timed(pong: Pong): void {
    const now = this.#clock.now()
    const trip = now - pong.at
    // A slow answer says little about the clock.
    if (trip >= 0 && trip < 1000) this.offset = pong.now * 1000 + trip / 2 - now
  }

  /** Ping; when nothing at all was heard since two pings, the socket is dead whatever the operating system believes. */
  #beat(): void {
    const every = (this.welcome?.limits.ping_seconds ?? 2) * 1000
    this.#heard = this.#clock.now()
    this.#beating?.()
    const beat = () => {
      const socket = this.#socket
      if (!socket) return
      if (this.#clock.now() - this.#heard > 2 * every + 500) {
        this.#silentSince = this.#heard
        this.#drop(socket)
        return this.#closed(socket)
      }
      this.send({ type: 'ping', at: this.#clock.now() })
      this.#beating = this.#clock.after(every, beat)
    }
    this.#beating = this.#clock.after(every, beat)
  }

  /** Send the drafts that are not on their way. From the waiting room nothing may be said: they wait for the room. */
  #post(): void {
    if (this.phase.name !== 'joined' || this.presence !== 'present') return
    const now = this.#clock.now()
    for (const { id, text } of this.outbox.waiting) {
      const sent = this.#posted.get(id)
      if (sent !== undefined && now - sent < CONFIRM_TIMEOUT) continue
      this.#posted.set(id, now)
      const message: ClientMessage = { type: 'chat', id, text }
      // The second time it goes by the other way: the data channel may be the one that lost it.
      if (sent !== undefined || !this.talk(JSON.stringify(message))) this.send(message)
    }
    this.#postAgain?.()
    this.#postAgain = this.outbox.waiting.length > 0 ? this.#clock.after(CONFIRM_TIMEOUT, () => this.#post()) : null
  }
}
