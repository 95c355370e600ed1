/** Learns within a tenth of a second that the link is back: a peer connection whose connectivity checks the server's
 *  beacon answers, and nothing else. Sockets and requests that a browser began into a dead link find the living one
 *  only when their packets are sent again, ever more seldom; checks go out twenty times a second. */
import type { Beacon } from '../messages'
import type { Clock } from '../protocol/clock'
import { connection } from './place'

const ANEW = 8000 // ms after which a browser sends its checks more seldom, or has given up
const AGAIN = 250 // ms until it is said again to one who was not ready to hear it

export type Checks = (beacon: Beacon, ice: RTCIceServer[], reached: () => void) => { close(): void }

export class Seeker {
  #checks: { close(): void } | null = null
  #cancel: (() => void) | null = null

  constructor(
    private readonly clock: Clock,
    /** The server was reached. True: nothing more is wanted. */
    private readonly found: () => boolean,
    private readonly make: Checks = checks,
  ) {}

  /** Begin; nothing when it is under way. */
  start(beacon: Beacon, ice: RTCIceServer[] = []): void {
    if (!this.#cancel) this.#ask(beacon, ice)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#checks?.close()
    this.#checks = null
  }

  #ask(beacon: Beacon, ice: RTCIceServer[]): void {
    const before = this.#checks
    this.#checks = this.make(beacon, ice, () => this.#reached(beacon, ice))
    before?.close()
    this.#cancel = this.clock.after(ANEW, () => this.#ask(beacon, ice))
  }

  #reached(beacon: Beacon, ice: RTCIceServer[]): void {
    this.stop()
    if (!this.found()) this.#cancel = this.clock.after(AGAIN, () => this.#ask(beacon, ice))
  }
}

/** The answer that the beacon would give: it takes part in nothing but the checks (ICE lite, RFC 8445). */
export function answerOf({ fragment, password, candidates }: Beacon): string {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=ice-lite',
    'a=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${fragment}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${Array(32).fill('00').join(':')}`,
    'a=setup:passive',
    'a=sctp-port:5000',
    ...candidates.map((candidate) => `a=${candidate}`),
  ]
  return lines.map((line) => `${line}\r\n`).join('')
}

function checks(beacon: Beacon, ice: RTCIceServer[], reached: () => void) {
  const peer = connection({ iceServers: ice })
  let closed = false
  peer.createDataChannel('beacon')
  peer.oniceconnectionstatechange = () => {
    if (!closed && ['connected', 'completed'].includes(peer.iceConnectionState)) reached()
  }
  const begin = async () => {
    await peer.setLocalDescription(await peer.createOffer())
    if (!closed) await peer.setRemoteDescription({ type: 'answer', sdp: answerOf(beacon) })
  }
  begin().catch(() => {
    // Closed meanwhile; or a browser that refuses it: the small requests remain.
  })
  return {
    close() {
      closed = true
      peer.oniceconnectionstatechange = null
      peer.close()
    },
  }
}
