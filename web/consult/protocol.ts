/** The consult protocol's client: one WebSocket that comes back by itself. Knows no UI and no WebRTC.
 *
 *   start() -> connecting -> joined <-> connecting (lost: backoff, hello {resume}) -> over (a bye without retry)
 *
 * What the server says is handed on by type (`on('room', …)`), in order, each once: an older room, a chat line heard
 * before and a message of a socket that was given up are dropped. docs/consult-protocol.md is the text of all this. */
import type { Bye, ChatLine, ClientMessage, Pong, Presence, Room, ServerMessage, Welcome } from './messages'
import { wait } from './protocol/backoff'
import { Chat } from './protocol/chat'
import { type Clock, realClock } from './protocol/clock'
import { Events } from './protocol/events'
import { Heartbeat } from './protocol/heartbeat'
import type { Outbox } from './protocol/outbox'
import { Prober } from './protocol/prober'
import { type ClientEvents, type Options, type Phase, parse, type Socket } from './protocol/wire'

export type { ClientEvents, Options, Phase, Socket } from './protocol/wire'

export const VERSION = 1
const HELLO_TIMEOUT = 6000 // ms from opening a socket to its welcome
const ANSWER = 1500 // ms that a server which was reached may take to answer a hello
const MOST_REDIRECTS = 5
/** 2026-01-01: peer connections are numbered by the seconds since, above any number used before a reload. */
const NUMBERING = 1_767_225_600_000

export class ConsultClient extends Events<ClientEvents> {
  phase: Phase = { name: 'idle' }
  welcome: Welcome | null = null
  room: Room | null = null
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
  #cancel = new Set<() => void>()
  #lastWord: Bye | null = null
  /** When the socket that is on its way was begun, then when it said hello. */
  #steppedAt = 0
  #greeted = false
  #silentSince: number | null = null
  readonly #chat: Chat
  readonly #heartbeat: Heartbeat
  readonly #prober: Prober

  constructor(options: Options) {
    super()
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#token = options.token
    this.#url = options.url
    this.#lostAt = this.#clock.now()
    this.#chat = new Chat(options.store, this.#clock, {
      open: () => this.phase.name === 'joined' && this.presence === 'present',
      talk: (text) => this.talk(text),
      send: (message) => void this.send(message),
      changed: (outbox) => this.emit('outbox', outbox),
    })
    this.#heartbeat = new Heartbeat(
      this.#clock,
      () => void this.send({ type: 'ping', at: this.#clock.now() }),
      (since) => this.#silent(since),
    )
    this.#prober = new Prober(this.#clock, options.probe, (trip) => this.reached(trip))
  }

  /** What was written and is not confirmed yet. */
  get outbox(): Outbox {
    return this.#chat.outbox
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

  /** The server was reached in some other way, which took `trip` ms. True: that was what was wanted, or not wanted.
   *  A socket that was begun before that has no part in it; one that may just be slow is left. */
  reached(trip = 0): boolean {
    if (this.phase.name !== 'connecting') return true
    const patience = this.#greeted ? ANSWER : 250
    if (this.#joining && this.#clock.now() - this.#steppedAt < 2 * trip + patience) return false
    this.#forget()
    this.#drop(this.#joining)
    this.#joining = null
    this.#open()
    return true
  }

  /** Try now instead of waiting, with a socket that the network of this moment carries; when joined, change to it before
   *  giving up the old one. */
  refresh(): void {
    if (this.phase.name === 'idle' || this.phase.name === 'over') return
    if (this.phase.name === 'joined' && this.#joining) return
    this.#forget()
    this.#drop(this.#joining)
    this.#joining = null
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
    return this.#chat.say(text)
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
    this.#chat.rest()
  }

  #drop(socket: Socket | null): void {
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(1000)
  }

  #open(): void {
    const resume = this.#options.store.get('resume')
    const hello: ClientMessage = { type: 'hello', versions: [VERSION], client: this.#options.client ?? '' }
    if (this.#token !== undefined) {
      hello.token = this.#token
      hello.nonce = this.#nonce()
    } else if (resume !== null) hello.resume = resume
    else return this.#over({ type: 'bye', code: 'token', message: 'no invitation' })
    let socket: Socket
    try {
      socket = this.#options.open(this.#url)
    } catch {
      return this.#over({ type: 'bye', code: 'malformed', message: 'the address is not that of a consult' })
    }
    this.#joining = socket
    this.#steppedAt = this.#clock.now()
    if (this.phase.name === 'connecting') this.#prober.start()
    this.#greeted = false
    socket.onopen = () => {
      this.#greeted = true
      this.#steppedAt = this.#clock.now()
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

  /** The word with which the token may be said again when its welcome does not come; the same after a reload. */
  #nonce(): string {
    const kept = this.#options.store.get('nonce')
    if (kept) return kept
    const made = crypto.randomUUID()
    this.#options.store.set('nonce', made)
    return made
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
    if (socket === this.#socket) this.#heartbeat.heard()
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
    this.#options.store.set('nonce', null)
    const again = this.phase.name === 'connecting' && this.phase.was
    const away = this.#clock.now() - this.#lostAt
    const moved = this.welcome?.life !== undefined && welcome.life !== this.welcome.life
    const first = this.welcome === null
    // A room of another life of this seat may count its changes anew.
    if (!welcome.resumed) {
      this.room = null
      this.#chat.forgetLines()
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
    this.#heartbeat.start((welcome.limits.ping_seconds ?? 2) * 1000)
    this.#chat.anew()
  }

  #handOn(message: Exclude<ServerMessage, Bye | Welcome | { type: 'redirect' }>): void {
    switch (message.type) {
      case 'room':
        if (this.room && message.rev < this.room.rev) return
        this.room = message
        this.#chat.post()
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
    return this.#chat.hear(line, line.seat === this.welcome?.seat)
  }

  /** The socket is dead, though it stays open. */
  #silent(since: number): void {
    const socket = this.#socket
    if (!socket) return
    this.#silentSince = since
    this.#drop(socket)
    this.#closed(socket)
  }

  #timed(pong: Pong): void {
    const now = this.#clock.now()
    const trip = now - pong.at
    // A slow answer says little about the clock.
    if (trip >= 0 && trip < 1000) this.offset = pong.now * 1000 + trip / 2 - now
  }
}
