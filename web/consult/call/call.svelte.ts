/** The call as the page sees it: what the protocol client and the media link tell, made reactive; what a person does,
 *  handed to them. */
import type { Bye, ChatLine, Flow, Person, Pointed, Problem, Quality, Room, Welcome } from '../messages'
import type { ConsultClient, Phase } from '../protocol'
import { realClock } from '../protocol/clock'
import type { Why } from '../protocol/wire'
import type { Draft } from '../protocol/outbox'
import { Seeker } from '../media/beacon'
import { MediaLink } from '../media/link'
import type { Own } from '../media/own.svelte'
import type { Incoming } from '../media/peer'
import { Ecg } from './ecg'
import { between, type Totals, totals } from './stats'
import { Vitals } from './vitals'

const POINTED_FOR = 2000 // ms
const NOTICE_FOR = 8000 // ms
/** ms: an interruption that is over sooner is not worth a word. */
export const BRIEF = 900

/** `picture`: the media alone was away, the socket was not. */
export type Notice =
  { kind: 'back'; away: number; why: Why | 'picture' } | { kind: 'problem'; problem: Problem } | { kind: 'chat-full' }

export class Call {
  phase = $state.raw<Phase>({ name: 'idle' })
  welcome = $state.raw<Welcome | null>(null)
  room = $state.raw<Room | null>(null)
  chat = $state.raw<readonly ChatLine[]>([])
  drafts = $state.raw<readonly Draft[]>([])
  incoming = $state.raw<readonly Incoming[]>([])
  flows = $state.raw<Readonly<Record<string, Flow>>>({})
  speaking = $state.raw<readonly string[]>([])
  quality = $state.raw<Readonly<Record<string, Quality>>>({})
  pointed = $state.raw<readonly (Pointed & { until: number })[]>([])
  media = $state.raw({ up: false, since: Date.now() })
  audioOnly = $state(false)
  notice = $state.raw<Notice | null>(null)
  /** Counts up whenever `vitals` changed. */
  measured = $state(0)
  ecgLead = $state<string | null>(null)
  readonly vitals = new Vitals()
  readonly ecg = new Ecg()
  readonly link: MediaLink
  readonly #seeker: Seeker

  me: Person | null = $derived(this.room?.people.find((person) => person.seat === this.welcome?.seat) ?? null)
  leads = $derived(this.room !== null && this.room.lead === this.welcome?.seat)
  waiting: readonly Person[] = $derived(
    this.room?.people.filter((p) => p.presence === 'waiting' && p.seat !== this.me?.seat) ?? [],
  )
  /** The server stopped the pictures of everybody towards me, because of my link. */
  weak = $derived(
    !this.audioOnly && Object.values(this.flows).some((flow) => flow.state === 'paused' && flow.reason === 'link'),
  )

  #totals: { pc: number; totals: Totals } | null = null
  #cameraBefore = false
  #timers: ReturnType<typeof setInterval>[] = []
  #noticed: ReturnType<typeof setTimeout> | undefined

  constructor(
    readonly client: ConsultClient,
    readonly own: Own,
  ) {
    this.drafts = client.outbox.waiting
    this.phase = client.phase
    this.link = new MediaLink(client)
    this.#seeker = new Seeker(realClock, () => client.reached())
    client.on('phase', (phase) => this.#phased(phase))
    client.on('welcome', (welcome) => {
      if (!welcome.resumed) this.chat = []
      this.welcome = welcome
      // Whoever only listens or looks on needs no camera light.
      if (!this.may('send-video') && own.camera) own.stopCamera()
      if (!this.may('send-audio') && own.microphone) own.stopMicrophone()
      this.#receive()
    })
    client.on('room', (room) => {
      const present = room.people.map((person) => person.seat)
      this.room = room
      this.flows = Object.fromEntries(Object.entries(this.flows).filter(([, flow]) => present.includes(flow.seat)))
      this.quality = Object.fromEntries(Object.entries(this.quality).filter(([seat]) => present.includes(seat)))
    })
    client.on('chat_line', (line) => {
      this.chat = [...this.chat, line].sort((a, b) => a.n - b.n).slice(-500)
    })
    client.on('outbox', (outbox) => (this.drafts = outbox.waiting))
    client.on('flow', (flow) => (this.flows = { ...this.flows, [`${flow.seat}/${flow.use}`]: flow }))
    client.on('speaking', ({ seats }) => (this.speaking = seats))
    client.on('quality', (quality) => (this.quality = { ...this.quality, [quality.seat]: quality }))
    client.on('pointed', (pointed) => this.#pointed(pointed))
    client.on('problem', (problem) => {
      // The waiting room tells chat and media that they are early; nobody did anything wrong.
      if (problem.about !== 'media' && problem.about !== 'receive') this.#note({ kind: 'problem', problem })
    })
    client.on('back', ({ away, why }) => this.#note({ kind: 'back', away, why }))
    this.link.on('incoming', (incoming) => (this.incoming = incoming))
    this.link.on('state', (state) => this.#mediaChanged(state))
    this.link.on('pointed', (pointed) => this.#pointed(pointed))
    this.link.on('vitals', (message) => {
      const change = this.vitals.take(message, client.serverNow())
      if (change === 'ignored') return
      if (change === 'blanked') this.ecg.clear()
      if (change !== 'wave') this.measured += 1
      if (message.frame.type === 'wave') {
        const { at, rate, samples, lead } = message.frame
        this.ecgLead = lead
        this.ecg.push({ at: at / 1000, rate, samples }, performance.now())
      }
    })
    own.changed = (use, track) => void this.link.send(use, track)
    for (const use of ['microphone', 'camera', 'screen'] as const) this.link.tracks[use] = own[use]
    const stats = (client.welcome?.limits.stats_seconds ?? 5) * 1000
    this.#timers.push(setInterval(() => void this.#measure(), stats))
    this.#timers.push(setInterval(() => this.#forgetPointers(), 500))
  }

  start(): void {
    this.client.start()
  }

  /** Give everything back; the page shows why. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.link.stop()
    this.#seeker.stop()
    this.own.stop()
    this.vitals.clear()
    this.ecg.clear()
    this.incoming = []
    this.measured += 1
  }

  may(right: string): boolean {
    return this.welcome?.rights.includes(right) ?? false
  }

  // --- what a person does ---

  async setCamera(on: boolean): Promise<void> {
    if (on && this.audioOnly) await this.setAudioOnly(false)
    if (on && !this.own.camera) await this.own.startCamera()
    if (!on) this.own.stopCamera()
  }

  async setMicrophone(on: boolean): Promise<void> {
    if (on && !this.own.microphone) {
      this.own.muted = false
      await this.own.startMicrophone()
    } else this.own.mute(!on)
  }

  /** No picture either way: what a weak link needs. The camera comes back as it was. */
  async setAudioOnly(on: boolean): Promise<void> {
    if (on === this.audioOnly) return
    this.audioOnly = on
    this.#receive()
    if (on) {
      this.#cameraBefore = this.own.camera !== null
      this.own.stopCamera()
      if (this.own.screen) this.own.stopShare()
    } else if (this.#cameraBefore) await this.own.startCamera()
  }

  /** How tall each picture is shown, in device pixels, by `seat` or `seat/screen`. */
  show(heights: Record<string, number>): void {
    this.#heights = heights
    this.#receive()
  }
  #heights: Record<string, number> = {}

  say(text: string): boolean {
    const taken = this.client.say(text) !== null
    if (!taken) this.#note({ kind: 'chat-full' })
    return taken
  }

  point(seat: string, use: 'camera' | 'screen', x: number, y: number, down: boolean): void {
    if (!this.may('pointer')) return
    const message = JSON.stringify({ type: 'pointer', seat, use, x, y, down })
    if (!this.client.talk(message)) this.client.send({ type: 'pointer', seat, use, x, y, down })
  }

  admit = (seat: string) => void this.client.send({ type: 'admit', seat })
  refuse = (seat: string) => void this.client.send({ type: 'refuse', seat })
  handOver = (seat: string) => void this.client.send({ type: 'hand_over', seat })

  /** Go for good. Without a link nobody can be told: the seat runs out by itself. */
  leave(): void {
    this.#go({ type: 'leave' }, 'left')
  }

  /** End it for all; needs the link. */
  end(): void {
    this.client.send({ type: 'end' })
  }

  dismiss = () => (this.notice = null)

  #go(message: { type: 'leave' }, code: string): void {
    if (this.client.send(message)) return
    const bye: Bye = { type: 'bye', code, message: '' }
    this.client.stop()
    this.#phased({ name: 'over', bye })
  }

  #phased(phase: Phase): void {
    const before = this.phase.name
    this.phase = phase
    const welcome = this.client.welcome
    if (phase.name === 'connecting' && welcome) {
      // What was known of the others' links is old now; of this one it is known that nothing comes.
      this.quality = { [welcome.seat]: { type: 'quality', seat: welcome.seat, level: 'lost', reason: 'away' } }
    } else if (before === 'connecting') this.quality = {}
    if (phase.name !== 'connecting') this.#seeker.stop()
    else if (welcome?.beacon) this.#seeker.start(welcome.beacon, welcome.ice as RTCIceServer[])
    if (phase.name === 'over') this.stop()
  }

  #receive(): void {
    if (this.client.presence !== 'present') return
    this.client.send({ type: 'receive', video: !this.audioOnly, heights: this.#heights })
  }

  #note(notice: Notice): void {
    this.notice = notice
    clearTimeout(this.#noticed)
    this.#noticed = setTimeout(() => (this.notice = null), NOTICE_FOR)
  }

  #mediaChanged(state: { up: boolean; since: number }): void {
    const away = state.since - this.media.since
    const before = this.#totals !== null // there was a picture before: this is no first connection
    this.media = state
    const mine = this.welcome?.seat
    if (state.up && mine && this.quality[mine]?.level === 'lost') {
      // What was measured while it was away is told for some seconds yet.
      this.quality = Object.fromEntries(Object.entries(this.quality).filter(([seat]) => seat !== mine))
    }
    if (!state.up || !before || away < BRIEF) return
    // Socket and media were away together: the longer of the two is what a person went without.
    const why = this.notice?.kind === 'back' ? this.notice.why : 'picture'
    this.#note({ kind: 'back', away: Math.max(away, this.notice?.kind === 'back' ? this.notice.away : 0), why })
  }

  #pointed(pointed: Pointed): void {
    const others = this.pointed.filter((one) => one.by !== pointed.by)
    this.pointed = pointed.down === false ? others : [...others, { ...pointed, until: Date.now() + POINTED_FOR }]
  }

  #forgetPointers(): void {
    const now = Date.now()
    if (this.pointed.some((one) => one.until < now)) this.pointed = this.pointed.filter((one) => one.until >= now)
  }

  async #measure(): Promise<void> {
    const peer = this.link.peer
    if (!peer || this.phase.name !== 'joined') return
    const report = await peer.rtc.getStats()
    const now = totals(report.values() as IterableIterator<Record<string, unknown>>, performance.now())
    if (this.#totals?.pc === peer.number) this.client.send(between(peer.number, this.#totals.totals, now))
    this.#totals = { pc: peer.number, totals: now }
  }
}
