/** The consult protocol's messages (docs/consult-protocol.md). Generated from telehealth/messages.py and
 *  telehealth/vitals.py by `python -m deploy.consult_types`; a test fails when the two differ. Do not edit. */

/** The first message: exactly one of `token` (a join token) and `resume` (from the last `welcome`). */
export interface Hello {
  type: 'hello'
  versions: number[]
  token?: string | null
  resume?: string | null
  nonce?: string | null
  client?: string
}

/** A new peer connection. `pc` grows with each; the previous one lives until this one is connected. */
export interface Offer {
  type: 'offer'
  pc: number
  sdp: string
  lines: OfferLine[]
}

/** What the client means by one media line of its offer. */
export interface OfferLine {
  mid: string
  use: Use
}

export type Use = 'microphone' | 'camera' | 'screen' | 'slot-audio' | 'slot-video'

/** A trickled ICE candidate of peer connection `pc`; an empty `candidate` is the end of them. */
export interface Candidate {
  type: 'candidate'
  pc: number
  candidate: string
  mid?: string | null
}

/** The client has closed peer connection `pc`. */
export interface ClosePc {
  type: 'close_pc'
  pc: number
}

/** What I am sending now (a muted microphone still has its line). */
export interface Media {
  type: 'media'
  microphone: boolean
  camera: boolean
  screen?: boolean
}

/** What I want to receive: `video` false is the audio-only switch; `heights` says how tall each seat's picture is
 *  shown, in device pixels (0: not shown), by `seat` or `seat/screen`, so that a smaller layer can be chosen. */
export interface Receive {
  type: 'receive'
  video?: boolean
  heights?: Record<string, number>
}

/** A line of chat; `id` is the client's own, so that a repeated one is stored once. */
export interface Chat {
  type: 'chat'
  id: string
  text: string
}

/** Where I point on the picture of `seat`: fractions of its width and height from its upper left corner. */
export interface Pointer {
  type: 'pointer'
  seat: string
  x: number
  y: number
  use?: Use
  down?: boolean
}

/** The lead lets `seat` in from the waiting room. */
export interface Admit {
  type: 'admit'
  seat: string
}

/** The lead sends `seat` away: from the waiting room, or out of the room. */
export interface Refuse {
  type: 'refuse'
  seat: string
}

/** The lead makes `seat` (a doctor or specialist who is present) the lead. */
export interface HandOver {
  type: 'hand_over'
  seat: string
}

/** The lead ends the consult for all. */
export interface End {
  type: 'end'
}

/** I go, and keep no seat. */
export interface Leave {
  type: 'leave'
}

/** What the client measured over the last seconds (getStats), for the call's quality record. */
export interface Stats {
  type: 'stats'
  pc: number
  rtt_ms?: number | null
  loss_in?: number | null
  jitter_ms?: number | null
  kbps_in?: number | null
  kbps_out?: number | null
  freezes?: number
  freeze_ms?: number
  height_in?: number | null
  fps_in?: number | null
  path?: string
}

/** Answered at once; `at` comes back unread. */
export interface Ping {
  type: 'ping'
  at: number
}

/** The answer to `hello`: my seat, and the word with which to come back. */
export interface Welcome {
  type: 'welcome'
  version: number
  seat: string
  role: Role
  resume: string
  resumed: boolean
  rights: string[]
  ice: IceServer[]
  limits: Record<string, number>
  now: number
  pc?: number
  away_seconds?: number | null
  beacon?: Beacon | null
  life?: number
}

export type Role = 'station' | 'doctor' | 'specialist' | 'interpreter' | 'observer'

/** As RTCIceServer; the credential is this person's own and short-lived. */
export interface IceServer {
  urls: string[]
  username?: string
  credential?: string
}

/** Where connectivity checks are answered and nothing else, by ICE's user name fragment and password: a page whose
 *  link is away learns from it that the link is back. */
export interface Beacon {
  fragment: string
  password: string
  candidates: string[]
}

/** This consult lives at another process: open `url` with the same token. The token is not used up. */
export interface Redirect {
  type: 'redirect'
  url: string
}

/** The whole state of the consult, after every change. `rev` grows; an older one is thrown away. */
export interface Room {
  type: 'room'
  consult: string
  rev: number
  lead: string | null
  people: Person[]
  opened: number
  started?: number | null
}

/** One seat of the consult. Name and facility come from the token. */
export interface Person {
  seat: string
  role: Role
  name: string
  facility: string
  presence: Presence
  media: MediaState
  since: number
  away_since?: number | null
  away_until?: number | null
}

export type Presence = 'waiting' | 'present' | 'away'

/** What a person sends, by her own word. */
export interface MediaState {
  microphone?: boolean
  camera?: boolean
  screen?: boolean
}

/** The server's SDP for offer `pc`, candidates included. */
export interface Answer {
  type: 'answer'
  pc: number
  sdp: string
}

/** `connected`: the new peer connection carries the call, close the older ones. `failed`: make a new one. */
export interface PcState {
  type: 'pc'
  pc: number
  state: string
  reason?: string
}

/** What every slot line of peer connection `pc` carries now. The line stays, what it carries changes. */
export interface Slots {
  type: 'slots'
  pc: number
  slots: Slot[]
}

/** Who is to be seen or heard on one of my slot lines; `seat` None: nobody. */
export interface Slot {
  mid: string
  seat: string | null
  use: Use | null
}

/** Whether a seat's picture is being sent to me, and if not, why.
 *  `state`: `on` | `paused`. `reason`: `link` (my link cannot carry it; it comes back by itself), `asked` (I asked for
 *  audio only), `sender` (nothing comes from there), `slots` (my peer connection has too few slots). */
export interface Flow {
  type: 'flow'
  seat: string
  use: Use
  state: string
  reason?: string
  layer?: string
}

/** Who speaks, loudest first (RFC 6464 levels over half a second). */
export interface Speaking {
  type: 'speaking'
  seats: string[]
}

/** A seat's link, every five seconds. `level`: `good` | `fair` | `poor` | `lost`; `reason`: `loss` | `delay` |
 *  `jitter` | `rate` | `freezes` | `away` | ``. Rates in kbit/s, times in ms; None where not measured. */
export interface Quality {
  type: 'quality'
  seat: string
  level: string
  reason?: string
  loss_up?: number | null
  loss_down?: number | null
  rtt_ms?: number | null
  jitter_ms?: number | null
  kbps_up?: number | null
  kbps_down?: number | null
  video_down?: string
}

/** A line of chat, in the order of `n`; those said before one came follow `welcome`. */
export interface ChatLine {
  type: 'chat_line'
  n: number
  id: string
  seat: string
  name: string
  at: number
  text: string
}

/** Somebody points; forgotten by the client two seconds after the last. */
export interface Pointed {
  type: 'pointed'
  by: string
  seat: string
  x: number
  y: number
  use?: Use
  down?: boolean
}

/** Please make a new peer connection now. `reason`: `draining` (this process stops; hello again), `slots` or
 *  `media`. */
export interface Reconnect {
  type: 'reconnect'
  reason: string
}

/** The answer to `ping`. */
export interface Pong {
  type: 'pong'
  at: number
  now: number
}

/** A message was refused; the call goes on. `about` is the type of the refused message where it could be read. */
export interface Problem {
  type: 'problem'
  code: string
  message: string
  about?: string
}

/** The last message of a socket. `retry` true: come back with `resume` after `after` seconds. */
export interface Bye {
  type: 'bye'
  code: string
  message: string
  retry?: boolean
  after?: number
}

/** Single values that were measured at `at`; a value that is not being measured is left out. */
export interface Numbers {
  type: 'numbers'
  subject: string
  device: string
  n: number
  at: number
  values: Record<string, number>
}

/** A piece of the ECG: samples in microvolts (UCUM uV) at `rate` a second, the first one at `at`. */
export interface Wave {
  type: 'wave'
  subject: string
  device: string
  n: number
  at: number
  lead: string
  rate: number
  samples: number[]
}

/** A frame as it reaches a viewer: from whose seat, when the server had it (Unix µs), and the frame itself. */
export interface VitalsOut {
  type: 'vitals'
  seat: string
  received: number
  frame: Numbers | Wave
  skewed?: boolean
}

export type ClientMessage =
  | Hello
  | Offer
  | Candidate
  | ClosePc
  | Media
  | Receive
  | Chat
  | Pointer
  | Admit
  | Refuse
  | HandOver
  | End
  | Leave
  | Stats
  | Ping

export type ServerMessage =
  | Welcome
  | Redirect
  | Room
  | Answer
  | PcState
  | Slots
  | Flow
  | Speaking
  | Quality
  | ChatLine
  | Pointed
  | Reconnect
  | Pong
  | Problem
  | Bye

export type VitalsFrame =
  | Numbers
  | Wave

export type VitalsMessage =
  | VitalsOut

/** The most characters that the server takes, by `message.field`. */
export const LONGEST = {
  'admit.seat': 16,
  'candidate.candidate': 512,
  'candidate.mid': 16,
  'chat.id': 64,
  'chat.text': 2000,
  'hand_over.seat': 16,
  'hello.client': 200,
  'hello.nonce': 64,
  'hello.resume': 2048,
  'hello.token': 2048,
  'pointer.seat': 16,
  'refuse.seat': 16,
  'stats.path': 32,
} as const
