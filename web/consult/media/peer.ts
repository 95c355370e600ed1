/** ONE peer connection of the call: its prepared lines, its channels, its end. Never renegotiated: what a line carries
 *  changes by replaceTrack, whom a slot shows by the server's `slots`. */
import type { Offer, Slots, Use } from '../messages'
import { connection } from './place'

/** What a peer connection is made for: `pair` a call of two with a screen, `group` a full room with simulcast. */
export type Shape = 'pair' | 'group'
const SLOTS = { pair: { audio: 2, video: 2 }, group: { audio: 5, video: 6 } } as const

export type Sent = 'microphone' | 'camera' | 'screen'
export type Tracks = Partial<Record<Sent, MediaStreamTrack | null>>

/** A picture or sound that comes in. */
export interface Incoming {
  seat: string
  use: 'microphone' | 'camera' | 'screen'
  track: MediaStreamTrack
}

const CAMERA_RATE = 1_500_000 // bit/s: 720p of a person who sits
const SCREEN_RATE = 2_000_000

/** Largest first, as sendEncodings wants them; the server asks for a layer by rid. */
const LAYERS: RTCRtpEncodingParameters[] = [
  { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 120_000 },
  { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 400_000 },
  { rid: 'h', maxBitrate: CAMERA_RATE },
]

export interface PeerHandlers {
  candidate(candidate: string, mid: string | null): void
  /** ICE or DTLS changed; `broken` when it will not come back by itself. */
  state(broken: boolean): void
  message(channel: 'talk' | 'vitals', text: string): void
}

export class Peer {
  readonly rtc: RTCPeerConnection
  readonly talk: RTCDataChannel
  readonly vitals: RTCDataChannel | null
  readonly #lines: { transceiver: RTCRtpTransceiver; use: Use }[] = []
  #slots: Slots['slots'] = []
  #closed = false

  constructor(
    readonly number: number,
    readonly shape: Shape,
    ice: RTCIceServer[],
    tracks: Tracks,
    seesVitals: boolean,
    private readonly handlers: PeerHandlers,
  ) {
    this.rtc = connection({ bundlePolicy: 'max-bundle', iceServers: ice })
    this.#line('audio', 'microphone', tracks.microphone)
    this.#line('video', 'camera', tracks.camera, shape === 'group' ? LAYERS : [{ maxBitrate: CAMERA_RATE }])
    this.#line('video', 'screen', tracks.screen, [{ maxBitrate: SCREEN_RATE }])
    for (let i = 0; i < SLOTS[shape].audio; i++) this.#slot('audio')
    for (let i = 0; i < SLOTS[shape].video; i++) this.#slot('video')
    // Vitals: the newest matters, so nothing waits for what was lost. Talk: every word, in order.
    this.vitals = seesVitals ? this.#channel('vitals', { ordered: false, maxRetransmits: 0 }) : null
    this.talk = this.#channel('talk', {})
    this.rtc.onicecandidate = ({ candidate }) => {
      if (!this.#closed) handlers.candidate(candidate?.candidate ?? '', candidate?.sdpMid ?? null)
    }
    this.rtc.onconnectionstatechange = () => this.#state()
    this.rtc.oniceconnectionstatechange = () => this.#state()
  }

  /** Make the offer; throws what the browser throws. */
  async offer(): Promise<Offer> {
    await this.rtc.setLocalDescription(await this.rtc.createOffer())
    const sdp = this.rtc.localDescription?.sdp ?? ''
    const lines = this.#lines.flatMap(({ transceiver, use }) =>
      transceiver.mid ? [{ mid: transceiver.mid, use }] : [],
    )
    return { type: 'offer', pc: this.number, sdp, lines }
  }

  async answer(sdp: string): Promise<void> {
    if (!this.#closed) await this.rtc.setRemoteDescription({ type: 'answer', sdp })
  }

  slots(slots: Slots['slots']): void {
    this.#slots = slots
  }

  /** Whom the slots show now. */
  get incoming(): Incoming[] {
    return this.#slots.flatMap(({ mid, seat, use }) => {
      const line = this.#lines.find(({ transceiver }) => transceiver.mid === mid)
      if (!line || seat === null || (use !== 'microphone' && use !== 'camera' && use !== 'screen')) return []
      return [{ seat, use, track: line.transceiver.receiver.track }]
    })
  }

  /** Change what is sent on a prepared line; the other side is not asked. */
  async send(use: Sent, track: MediaStreamTrack | null): Promise<void> {
    if (this.#closed) return
    await this.#lines.find((line) => line.use === use)?.transceiver.sender.replaceTrack(track)
  }

  /** Send these tracks from now on, and no others. */
  carry(tracks: Tracks): void {
    for (const use of ['microphone', 'camera', 'screen'] as const) void this.send(use, tracks[use] ?? null)
  }

  get usable(): boolean {
    return !this.#closed && this.rtc.connectionState === 'connected'
  }

  /** Bytes that arrived so far, on all lines and channels; null when that cannot be told. */
  async received(): Promise<number | null> {
    if (this.#closed) return null
    let bytes: number | null = null
    for (const one of (await this.rtc.getStats()).values() as IterableIterator<Record<string, unknown>>)
      if (one.type === 'transport' && typeof one.bytesReceived === 'number') bytes = (bytes ?? 0) + one.bytesReceived
    return bytes
  }

  close(): void {
    this.#closed = true
    this.rtc.onicecandidate = this.rtc.onconnectionstatechange = this.rtc.oniceconnectionstatechange = null
    this.talk.onmessage = null
    if (this.vitals) this.vitals.onmessage = null
    this.rtc.close()
  }

  #state(): void {
    if (this.#closed) return
    const { connectionState, iceConnectionState } = this.rtc
    const broken =
      ['failed', 'closed', 'disconnected'].includes(connectionState) || iceConnectionState === 'disconnected'
    this.handlers.state(broken)
  }

  #line(
    kind: string,
    use: Sent,
    track: MediaStreamTrack | null | undefined,
    encodings?: RTCRtpEncodingParameters[],
  ): void {
    const options: RTCRtpTransceiverInit = { direction: 'sendonly' }
    if (encodings) options.sendEncodings = encodings
    this.#lines.push({ transceiver: this.rtc.addTransceiver(track ?? kind, options), use })
  }

  #slot(kind: 'audio' | 'video'): void {
    const transceiver = this.rtc.addTransceiver(kind, { direction: 'recvonly' })
    this.#lines.push({ transceiver, use: `slot-${kind}` })
  }

  #channel(label: 'talk' | 'vitals', init: RTCDataChannelInit): RTCDataChannel {
    const channel = this.rtc.createDataChannel(label, init)
    channel.onmessage = ({ data }) => {
      if (typeof data === 'string') this.handlers.message(label, data)
    }
    return channel
  }
}
