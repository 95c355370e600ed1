/** The call's media over time: always a peer connection that works, or one on its way. Make before break: the old one
 *  carries the call until the server says that the new one is connected. */
import type { ConsultClient } from '../protocol'
import { wait } from '../protocol/backoff'
import { type Clock, realClock } from '../protocol/clock'
import { Events } from '../protocol/events'
import { parse } from '../protocol/wire'
import type { Media, Pointed, VitalsMessage } from '../messages'
import { Flow } from './flow'
import { type Incoming, Peer, type Sent, type Shape, type Tracks } from './peer'

const CONNECT_TIMEOUT = 8000 // ms for a new peer connection; a slow satellite link needs three
const DISCONNECTED = 1000 // ms that ICE may be disconnected before a new one is made
const OFFERS_A_MINUTE = 10 // the server refuses the thirteenth
const MOST_CANDIDATES = 60
const DOUBT = 400 // ms without a packet, just after the socket came back, that make a path a dead one
const REST = 2000 // ms without a way after which nothing is encoded for it: a busy machine needs that for the way back
const CHANGE_OVER = 1500 // ms that the channels of the old one stay open, until the new one's are

export interface LinkEvents {
  /** Whom is seen and heard has changed. */
  incoming: Incoming[]
  /** Whether media flows; since when it does not: ms since 1970. */
  state: { up: boolean; since: number }
  vitals: VitalsMessage
  pointed: Pointed
}

export type PeerMaker = (...args: ConstructorParameters<typeof Peer>) => Peer

export class MediaLink extends Events<LinkEvents> {
  up = false
  since: number
  readonly tracks: Tracks = {}
  #now: Peer | null = null
  #next: Peer | null = null
  #old = new Set<Peer>()
  /** Stands without a way, and is given nothing to send. */
  #resting: Peer | null = null
  readonly #flow: Flow
  #shape: Shape = 'pair'
  #attempt = 0
  #offers: number[] = []
  #cancel: Record<'retry' | 'patience' | 'timeout' | 'rest', (() => void) | null> = {
    retry: null,
    patience: null,
    timeout: null,
    rest: null,
  }
  #stopped = false
  #off: (() => void)[]

  constructor(
    private readonly client: ConsultClient,
    private readonly clock: Clock = realClock,
    private readonly make: PeerMaker = (...args) => new Peer(...args),
  ) {
    super()
    this.since = clock.now()
    client.talk = (text) => this.#talk(text)
    this.#flow = new Flow(
      clock,
      () => (this.client.phase.name === 'joined' && this.#now ? this.#now.received() : Promise.resolve(null)),
      // A new socket finds the new way, if there is one; the old one serves until then. Not when another peer connection
      // is on its way already: that has its own time.
      () => {
        if (!this.#next) this.client.refresh()
      },
    )
    this.#flow.start()
    this.#off = [
      client.on('room', () => this.#roomChanged()),
      client.on('welcome', () => this.#welcomed()),
      client.on('answer', ({ pc, sdp }) => void this.#answered(pc, sdp)),
      client.on('slots', ({ pc, slots }) => {
        this.#by(pc)?.slots(slots)
        if (pc === this.#now?.number) this.#show()
      }),
      client.on('pc', ({ pc, state }) => this.#judged(pc, state)),
      client.on('reconnect', ({ reason }) => {
        // A process that stops says so first: the next hello finds the one that takes over.
        if (reason !== 'draining') this.renew()
      }),
    ]
  }

  /** The peer connection that carries the call, for getStats. */
  get peer(): Peer | null {
    return this.#now
  }

  stop(): void {
    this.#stopped = true
    this.#flow.stop()
    for (const off of this.#off) off()
    for (const cancel of Object.values(this.#cancel)) cancel?.()
    for (const peer of [this.#now, this.#next, ...this.#old]) peer?.close()
    this.#old.clear()
    this.#now = this.#next = null
    this.client.talk = () => false
  }

  /** Send this track from now on (null: none). */
  async send(use: Sent, track: MediaStreamTrack | null): Promise<void> {
    this.tracks[use] = track
    await Promise.all([this.#now?.send(use, track), this.#next?.send(use, track)])
    this.announce()
  }

  /** Tell the room what is sent. A muted microphone keeps its line and its track. */
  announce(): void {
    if (this.client.presence !== 'present') return
    const sends = (use: Sent) => this.tracks[use]?.enabled === true && this.tracks[use]?.readyState === 'live'
    const media: Media = {
      type: 'media',
      microphone: sends('microphone'),
      camera: sends('camera'),
      screen: sends('screen'),
    }
    this.client.send(media)
  }

  /** Send over the reliable channel; false when it is not open. */
  #talk(text: string): boolean {
    const channel = this.#now?.talk
    if (channel?.readyState !== 'open' || !this.up) return false
    try {
      channel.send(text)
      return true
    } catch {
      return false // its buffer is full: the WebSocket takes it
    }
  }

  /** Make a new peer connection now, beside the one that carries the call. */
  renew(): void {
    this.#cancel.retry?.()
    this.#cancel.retry = null
    if (this.#stopped || this.client.phase.name !== 'joined' || this.client.presence !== 'present') return
    const now = this.clock.now()
    this.#offers = this.#offers.filter((at) => at > now - 60_000)
    if (this.#offers.length >= OFFERS_A_MINUTE) return this.#retryIn(5000)
    this.#offers.push(now)
    this.#next?.close()
    this.#next = this.#start()
    this.#cancel.timeout?.()
    this.#cancel.timeout = this.clock.after(CONNECT_TIMEOUT, () => this.#failed())
  }

  #start(): Peer {
    const { client } = this
    const welcome = client.welcome
    const ice = (welcome?.ice ?? []).map((server): RTCIceServer => ({ ...server }))
    const sees = welcome?.rights.some((right) => right === 'see-vitals' || right === 'send-vitals') ?? false
    let sent = 0
    let offered = false
    const early: [string, string | null][] = []
    const trickle = (candidate: string, mid: string | null) => {
      if (!offered) early.push([candidate, mid])
      else if (sent++ < MOST_CANDIDATES) client.send({ type: 'candidate', pc: peer.number, candidate, mid })
    }
    const peer = this.make(client.nextPc(), this.#shape, ice, this.tracks, sees, {
      candidate: trickle,
      state: (broken) => this.#stateOf(peer, broken),
      message: (channel, text) => this.#heard(channel, text),
    })
    peer.offer().then(
      (offer) => {
        if (peer !== this.#next) return
        offered = client.send(offer)
        if (!offered) return this.#failed()
        for (const [candidate, mid] of early) trickle(candidate, mid)
      },
      () => peer === this.#next && this.#failed(),
    )
    return peer
  }

  #by(pc: number): Peer | null {
    return [this.#now, this.#next].find((peer) => peer?.number === pc) ?? null
  }

  async #answered(pc: number, sdp: string): Promise<void> {
    const peer = this.#by(pc)
    try {
      await peer?.answer(sdp)
    } catch {
      if (peer && peer === this.#next) this.#failed()
    }
  }

  #judged(pc: number, state: string): void {
    const peer = this.#by(pc)
    if (!peer) return
    if (state === 'failed') return peer === this.#next ? this.#failed() : this.renew()
    if (state !== 'connected' || peer !== this.#next) return
    const old = this.#now
    this.#now = peer
    this.#next = null
    this.#attempt = 0
    this.#flow.changed()
    this.#cancel.timeout?.()
    this.#cancel.timeout = null
    this.#setUp(true)
    this.#show()
    peer.carry(this.tracks) // they may have changed between the offer and now
    if (old) this.#retire(old)
  }

  /** The old one sends nothing more; what is on its way in its channels (vital signs) still arrives. */
  #retire(old: Peer): void {
    old.carry({})
    this.#old.add(old)
    this.clock.after(CHANGE_OVER, () => {
      if (!this.#old.delete(old)) return
      old.close()
      this.client.send({ type: 'close_pc', pc: old.number })
    })
  }

  #failed(): void {
    this.#next?.close()
    this.#next = null
    this.#cancel.timeout?.()
    this.#cancel.timeout = null
    this.#attempt += 1
    this.#retryIn(Math.max(200, wait(this.#attempt, this.clock.random())))
  }

  #retryIn(ms: number): void {
    this.#cancel.retry?.()
    this.#cancel.retry = this.clock.after(ms, () => this.renew())
  }

  #stateOf(peer: Peer, broken: boolean): void {
    if (peer !== this.#now) return
    this.#cancel.patience?.()
    this.#cancel.patience = null
    if (!broken) return this.#setUp(true)
    this.#setUp(false)
    if (this.#next) return // it is being replaced
    if (peer.rtc.connectionState === 'failed') return this.renew()
    this.#cancel.patience = this.clock.after(DISCONNECTED, () => {
      if (peer === this.#now && !this.up && !this.#next) this.renew()
    })
  }

  #setUp(up: boolean): void {
    if (up === this.up) return
    this.up = up
    this.since = this.clock.now()
    this.#cancel.rest?.()
    this.#cancel.rest = up ? null : this.clock.after(REST, () => this.#rest())
    if (up && this.#resting === this.#now) this.#now?.carry(this.tracks)
    if (up) this.#resting = null
    this.emit('state', { up, since: this.since })
  }

  #rest(): void {
    this.#resting = this.#now
    this.#now?.carry({})
  }

  #show(): void {
    this.emit('incoming', this.#now?.incoming ?? [])
  }

  /** The server says which peer connection of ours still stands there: after the death of its process none does, which a
   *  browser would notice only many seconds later. Nor does it notice at once that its own address is another one. */
  #welcomed(): void {
    const broken = !this.up || this.#flow.suspected
    if (this.#now && (this.client.welcome?.pc !== this.#now.number || broken)) this.renew()
    else if (this.#now && !this.#next) void this.#doubt(this.#now)
    this.announce()
  }

  /** The socket was lost: does the path of the media still carry anything? */
  async #doubt(peer: Peer): Promise<void> {
    const before = await peer.received()
    this.clock.after(DOUBT, () => {
      void peer.received().then((after) => {
        if (peer === this.#now && !this.#next && before !== null && after !== null && after <= before) this.renew()
      })
    })
  }

  #roomChanged(): void {
    if (this.client.presence !== 'present') return
    const others = this.client.room?.people.filter((person) => person.presence !== 'waiting').length ?? 0
    const shape: Shape = others > 2 ? 'group' : 'pair'
    const grown = shape === 'group' && this.#shape === 'pair'
    if (grown) this.#shape = 'group' // it stays: shrinking again is not worth a new connection
    if (grown || (!this.#now && !this.#next && !this.#cancel.retry)) {
      this.renew()
      this.announce()
    }
  }

  #heard(channel: 'talk' | 'vitals', text: string): void {
    if (channel === 'vitals') {
      const frame = parse(text) as VitalsMessage | null
      if (frame?.type === 'vitals') this.emit('vitals', frame)
      return
    }
    const message = parse(text)
    if (message?.type === 'pointed') this.emit('pointed', message)
    if (message?.type === 'chat_line' && this.client.hear(message)) this.client.emit('chat_line', message)
  }
}
