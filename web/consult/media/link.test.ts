import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientMessage, Room, Welcome } from '../messages'
import type { ConsultClient } from '../protocol'
import type { Clock } from '../protocol/clock'
import { type ClientEvents } from '../protocol/wire'
import { Events } from '../protocol/events'
import { MediaLink } from './link'
import type { Incoming, Peer, PeerHandlers } from './peer'

class Timers implements Clock {
  at = 1_000_000
  list: { at: number; then: () => void }[] = []
  now = () => this.at
  random = () => 0.5
  after(ms: number, then: () => void) {
    const one = { at: this.at + ms, then }
    this.list.push(one)
    return () => {
      this.list = this.list.filter((other) => other !== one)
    }
  }
  pass(ms: number) {
    const end = this.at + ms
    for (;;) {
      const next = this.list.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.list = this.list.filter((one) => one !== next)
      this.at = next.at
      next.then()
    }
    this.at = end
  }
}

/** The client's side as the link sees it: what arrives is emitted, what is sent is kept. */
class FakeClient extends Events<ClientEvents> {
  phase = { name: 'joined', since: 0 }
  presence: string | null = 'present'
  welcome = { ice: [], rights: ['see-vitals'], pc: 0, limits: {} } as unknown as Welcome
  room: Room | null = null
  sent: ClientMessage[] = []
  number = 0
  talk: (text: string) => boolean = () => false
  send(message: ClientMessage) {
    if (this.phase.name !== 'joined') return false
    this.sent.push(message)
    return true
  }
  nextPc = () => ++this.number
  hear = () => true
  refreshed = 0
  refresh() {
    this.refreshed += 1
  }
  people(count: number) {
    const people = Array.from({ length: count }, (_, i) => ({ seat: `s${i}`, presence: 'present' }))
    this.room = { type: 'room', people } as unknown as Room
    this.emit('room', this.room)
  }
}

class FakePeer {
  rtc = { connectionState: 'connecting' }
  talk = { readyState: 'open', send: () => {} }
  closed = false
  sends: [string, unknown][] = []
  incoming: Incoming[] = []
  constructor(
    readonly number: number,
    readonly shape: string,
    readonly handlers: PeerHandlers,
  ) {}
  offer = () => Promise.resolve({ type: 'offer' as const, pc: this.number, sdp: 'v=0', lines: [] })
  answer = () => Promise.resolve()
  slots() {
    this.incoming = [{ seat: 's1', use: 'camera', track: {} as MediaStreamTrack }]
  }
  bytes = 0
  received = () => Promise.resolve(this.closed ? null : this.bytes)
  send(use: string, track: unknown) {
    this.sends.push([use, track])
    return Promise.resolve()
  }
  carry(tracks: Record<string, unknown>) {
    for (const use of ['microphone', 'camera', 'screen']) void this.send(use, tracks[use] ?? null)
  }
  close() {
    this.closed = true
  }
}

let clock: Timers
let client: FakeClient
let peers: FakePeer[]
let link: MediaLink
const settled = () => new Promise((done) => setTimeout(done))
const offers = () => client.sent.filter((message) => message.type === 'offer').length

beforeEach(() => {
  clock = new Timers()
  client = new FakeClient()
  peers = []
  link = new MediaLink(client as unknown as ConsultClient, clock, (number, shape, _ice, _tracks, _sees, handlers) => {
    const peer = new FakePeer(number, shape, handlers)
    peers.push(peer)
    return peer as unknown as Peer
  })
})

async function connect(count = 2): Promise<FakePeer> {
  client.people(count)
  await settled()
  const peer = peers.at(-1)!
  client.emit('pc', { type: 'pc', pc: peer.number, state: 'connected' })
  peer.rtc.connectionState = 'connected'
  return peer
}

describe('the first peer connection', () => {
  it('is made in the room, not in the waiting room', async () => {
    client.presence = 'waiting'
    client.people(2)
    expect(peers).toHaveLength(0)
    client.presence = 'present'
    await connect()
    expect(offers()).toBe(1)
    expect(link.up).toBe(true)
  })

  it('is tried again when nothing answers, ever more slowly', async () => {
    client.people(2)
    await settled()
    for (let i = 0; i < 4; i++) {
      clock.pass(8000)
      clock.pass(3000)
      await settled()
    }
    expect(peers.length).toBeGreaterThan(3)
    expect(peers.slice(0, -1).every((peer) => peer.closed)).toBe(true)
  })

  it('candidates found before the offer went out follow it, a bounded number of them', async () => {
    client.people(2)
    const peer = peers[0]!
    peer.handlers.candidate('early', '0')
    expect(client.sent.some((message) => message.type === 'candidate')).toBe(false)
    await settled()
    for (let i = 0; i < 100; i++) peer.handlers.candidate(`c${i}`, '0')
    const sent = client.sent.filter((message) => message.type === 'candidate')
    expect(sent[0]).toMatchObject({ candidate: 'early' })
    expect(sent.length).toBeLessThanOrEqual(60)
  })
})

describe('make before break', () => {
  it('the old one carries the call until the new one is connected', async () => {
    const old = await connect()
    link.renew()
    await settled()
    const fresh = peers.at(-1)!
    expect(fresh).not.toBe(old)
    expect(old.closed).toBe(false)
    expect(link.peer?.number).toBe(old.number)
    client.emit('pc', { type: 'pc', pc: fresh.number, state: 'connected' })
    expect(link.peer?.number).toBe(fresh.number)
    // It sends no more, but its channels stay until the new one's are open.
    expect(old.sends.slice(-3)).toEqual(['microphone', 'camera', 'screen'].map((use) => [use, null]))
    expect(old.closed).toBe(false)
    clock.pass(1500)
    expect(old.closed).toBe(true)
    expect(client.sent.at(-1)).toEqual({ type: 'close_pc', pc: old.number })
  })

  it('ICE that was away for less than a second is left alone', async () => {
    const peer = await connect()
    peer.handlers.state(true)
    expect(link.up).toBe(false)
    clock.pass(900)
    peer.handlers.state(false)
    clock.pass(5000)
    expect(link.up).toBe(true)
    expect(peers).toHaveLength(1)
  })

  it('one without a way encodes nothing for it, and takes up again where the way comes back', async () => {
    const camera = { enabled: true, readyState: 'live' } as MediaStreamTrack
    await link.send('camera', camera)
    const peer = await connect()
    client.phase = { name: 'connecting', since: 0 }
    peer.handlers.state(true)
    clock.pass(1900)
    expect(peer.sends.at(-2)).toEqual(['camera', camera])
    clock.pass(200)
    expect(peer.sends.slice(-3)).toEqual(['microphone', 'camera', 'screen'].map((use) => [use, null]))
    peer.handlers.state(false)
    expect(peer.sends.at(-2)).toEqual(['camera', camera])
    expect(peers).toHaveLength(1)
  })

  it('ICE that stays away, or failed, gets a new one', async () => {
    const peer = await connect()
    peer.handlers.state(true)
    clock.pass(1100)
    await settled()
    expect(peers).toHaveLength(2)
    const second = await connect()
    second.rtc.connectionState = 'failed'
    second.handlers.state(true)
    expect(peers).toHaveLength(3)
  })

  it('after a lost socket only when the server no longer has it', async () => {
    const peer = await connect()
    client.welcome = { ...client.welcome, pc: peer.number }
    client.emit('welcome', client.welcome)
    expect(peers).toHaveLength(1)
    client.welcome = { ...client.welcome, pc: 0 }
    client.emit('welcome', client.welcome)
    expect(peers).toHaveLength(2)
  })

  it('after a lost socket also when nothing arrives on it any more', async () => {
    const peer = await connect()
    client.welcome = { ...client.welcome, pc: peer.number }
    for (const [arrived, made] of [
      [1000, 1],
      [0, 2],
    ] as const) {
      client.emit('welcome', client.welcome)
      await settled()
      peer.bytes += arrived
      clock.pass(400)
      await settled()
      expect(peers).toHaveLength(made)
    }
  })

  it('a path that fell silent is asked for by a new socket, and replaced when that is there', async () => {
    const peer = await connect()
    for (let i = 0; i < 20; i++) {
      peer.bytes += 1000
      clock.pass(150)
      await settled()
    }
    for (let i = 0; i < 6; i++) {
      clock.pass(150)
      await settled()
    }
    expect(client.refreshed).toBe(1)
    expect(peers).toHaveLength(1)
    client.welcome = { ...client.welcome, pc: peer.number }
    client.emit('welcome', client.welcome)
    expect(peers).toHaveLength(2)
  })

  it('after a lost socket at once when its path is known to be broken', async () => {
    const peer = await connect()
    peer.handlers.state(true)
    client.welcome = { ...client.welcome, pc: peer.number }
    client.emit('welcome', client.welcome)
    expect(peers).toHaveLength(2)
  })

  it('never offers more often than the server takes', async () => {
    await connect()
    for (let i = 0; i < 50; i++) {
      link.renew()
      await settled()
    }
    expect(offers()).toBeLessThanOrEqual(10)
    clock.pass(65_000)
    await settled()
    expect(offers()).toBeGreaterThan(10)
  })

  it('a third person gets it more slots, once', async () => {
    await connect(2)
    expect(peers[0]!.shape).toBe('pair')
    await connect(3)
    expect(peers.map((peer) => peer.shape)).toEqual(['pair', 'group'])
    await connect(2)
    expect(peers).toHaveLength(2)
  })
})

describe('what is sent', () => {
  it('goes to the one that is and the one that comes, and the room is told', async () => {
    const old = await connect()
    link.renew()
    const fresh = peers.at(-1)!
    await link.send('camera', { enabled: true, readyState: 'live' } as MediaStreamTrack)
    expect(old.sends.at(-1)?.[0]).toBe('camera')
    expect(fresh.sends.at(-1)?.[0]).toBe('camera')
    expect(client.sent.at(-1)).toEqual({ type: 'media', microphone: false, camera: true, screen: false })
  })

  it('stops for good with the call', async () => {
    const peer = await connect()
    link.stop()
    expect(peer.closed).toBe(true)
    clock.pass(60_000)
    client.people(3)
    expect(peers).toHaveLength(1)
    expect(client.talk('x')).toBe(false)
  })
})
