import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientMessage, Person, Room, ServerMessage, Welcome } from './messages'
import { ConsultClient, type Phase, type Socket } from './protocol'
import { LONGEST_WAIT, wait } from './protocol/backoff'
import { Timers } from './protocol/timers'
import { CAPACITY, Outbox, type Store } from './protocol/outbox'

class TestClock extends Timers {
  override at = 1_800_000_000_000
  chance = 0.5
  override random = () => this.chance
}

class TestSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: ClientMessage[] = []
  closed = false
  constructor(readonly url: string) {}
  send(text: string) {
    this.sent.push(JSON.parse(text) as ClientMessage)
  }
  close() {
    this.closed = true
  }
  say(message: ServerMessage) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  die(code = 1006) {
    this.closed = true
    this.onclose?.({ code })
  }
  of<T extends ClientMessage['type']>(type: T) {
    return this.sent.filter((m): m is Extract<ClientMessage, { type: T }> => m.type === type)
  }
}

const person = (seat: string, presence: Person['presence'] = 'present'): Person => ({
  seat,
  role: 'station',
  name: 'Lan',
  facility: 'Thần Sa',
  presence,
  media: {},
  since: 1,
})
const welcome = (resume: string, resumed = false): Welcome => ({
  type: 'welcome',
  version: 1,
  seat: 's1',
  role: 'station',
  resume,
  resumed,
  rights: ['chat'],
  ice: [],
  limits: { ping_seconds: 2 },
  now: 1_800_000_000,
})
const room = (rev: number, presence: Person['presence'] = 'present'): Room => ({
  type: 'room',
  consult: 'c1',
  rev,
  lead: null,
  people: [person('s1', presence)],
  opened: 1,
})

let clock: TestClock
let sockets: TestSocket[]
let kept: Map<string, string>
let phases: Phase['name'][]

function make(token: string | null = 'T', probe?: () => Promise<boolean>) {
  const store: Store = {
    get: (key) => kept.get(key) ?? null,
    set: (key, value) => {
      if (value === null) kept.delete(key)
      else kept.set(key, value)
    },
  }
  const client = new ConsultClient({
    url: 'wss://x/consult',
    token: token ?? undefined,
    store,
    clock,
    ...(probe && { probe }),
    open: (url) => {
      const socket = new TestSocket(url)
      sockets.push(socket)
      return socket
    },
  })
  client.on('phase', (phase) => phases.push(phase.name))
  return client
}

function joined(probe?: () => Promise<boolean>, said: Partial<Welcome> = {}) {
  const client = make('T', probe)
  client.start()
  last().onopen?.()
  last().say({ ...welcome('R1'), ...said })
  last().say(room(1))
  return client
}
const last = () => sockets[sockets.length - 1]!

beforeEach(() => {
  clock = new TestClock()
  sockets = []
  kept = new Map()
  phases = []
})

describe('joining', () => {
  it('says hello with the token once, then with the word of the last welcome', () => {
    const client = joined()
    expect(last().of('hello')[0]).toMatchObject({ versions: [1], token: 'T' })
    expect(last().of('hello')[0]).not.toHaveProperty('resume')
    expect(client.phase.name).toBe('joined')
    last().die()
    clock.pass(0)
    last().onopen?.()
    expect(last().of('hello')[0]).toMatchObject({ resume: 'R1' })
    expect(last().of('hello')[0]).not.toHaveProperty('token')
  })

  it('after a reload comes back by the kept word', () => {
    kept.set('resume', 'R9')
    const client = make(null)
    client.start()
    last().onopen?.()
    expect(last().of('hello')[0]).toMatchObject({ resume: 'R9' })
  })

  it('without token and kept seat is over at once', () => {
    const client = new ConsultClient({
      url: 'ws://x',
      store: { get: () => null, set: () => {} },
      open: () => last(),
      clock,
    })
    expect(client.invited).toBe(false)
    client.start()
    expect(client.phase).toMatchObject({ name: 'over', bye: { code: 'token' } })
  })

  it('follows a redirect with the same hello, but not round and round', () => {
    const client = make()
    client.start()
    last().onopen?.()
    last().say({ type: 'redirect', url: 'wss://y/consult' })
    expect(last().url).toBe('wss://y/consult')
    last().onopen?.()
    expect(last().of('hello')[0]).toMatchObject({ token: 'T' })
    for (let i = 0; i < 5; i++) last().say({ type: 'redirect', url: 'wss://y/consult' })
    expect(client.phase.name).toBe('connecting')
    const before = sockets.length
    clock.pass(10_000)
    expect(sockets.length).toBeGreaterThan(before)
    expect(sockets[before]!.url).toBe('wss://x/consult')
  })

  it.each(['token', 'token-used', 'ended', 'refused', 'seat-lost', 'replaced', 'version', 'left'])(
    'a final bye (%s) ends it',
    (code) => {
      const client = joined()
      const count = sockets.length
      last().say({ type: 'bye', code, message: '', retry: false })
      expect(client.phase).toMatchObject({ name: 'over', bye: { code } })
      clock.pass(60_000)
      expect(sockets.length).toBe(count)
      expect(kept.has('resume')).toBe(false)
    },
  )
})

describe('coming back', () => {
  it('tries at once, then ever more slowly, with jitter, and says how long it was', () => {
    const client = joined()
    let away = -1
    client.on('back', (back) => (away = back.away))
    const times: number[] = []
    last().die()
    const lostAt = clock.at
    for (let i = 0; i < 8; i++) {
      const before = sockets.length
      while (sockets.length === before) clock.pass(10)
      times.push(clock.at)
      last().die()
    }
    expect(times[0]! - lostAt).toBeLessThan(50)
    const waits = times.slice(1).map((at, i) => at - times[i]!)
    expect(waits[0]).toBeLessThanOrEqual(250)
    expect(Math.max(...waits)).toBeLessThanOrEqual(LONGEST_WAIT + 10)
    for (const [i, ms] of waits.slice(1).entries()) expect(ms).toBeGreaterThanOrEqual(waits[i]!)
    while (last().closed) clock.pass(50)
    last().onopen?.()
    clock.pass(100)
    last().say(welcome('R2', true))
    expect(client.phase.name).toBe('joined')
    expect(away).toBe(clock.at - lostAt)
  })

  it('a request that is answered ends the wait, however long the next try is away', async () => {
    let there = false
    const client = joined(() => Promise.resolve(there))
    last().die()
    for (let i = 0; i < 60; i++) {
      clock.pass(500)
      await Promise.resolve()
      if (!last().closed) last().die()
    }
    const tried = sockets.length
    expect(tried).toBeLessThan(20)
    there = true
    clock.pass(600)
    for (let i = 0; i < 5; i++) await Promise.resolve()
    expect(sockets.length).toBe(tried + 1)
    last().onopen?.()
    last().say({ ...welcome('R2', true), life: 7 })
    expect(client.phase.name).toBe('joined')
    clock.pass(1000)
    expect(sockets.length).toBe(tried + 1)
  })

  it('a socket that may only be slow is left to open', async () => {
    const answers: ((there: boolean) => void)[] = []
    joined(() => new Promise((resolve) => answers.push(resolve)))
    last().die()
    clock.pass(10)
    const tried = sockets.length
    clock.pass(500)
    clock.pass(600)
    answers[0]?.(true) // after 600 ms: a socket needs twice that
    for (let i = 0; i < 5; i++) await Promise.resolve()
    expect(sockets.length).toBe(tried)
  })

  it('a socket that said hello is left a while to be answered, then the same is said on another', async () => {
    const client = make('T', () => Promise.resolve(true))
    client.start()
    last().onopen?.()
    const pass = async (ms: number) => {
      for (let at = 0; at < ms; at += 100) {
        clock.pass(100)
        for (let n = 0; n < 5; n++) await Promise.resolve()
      }
    }
    await pass(1200)
    expect(sockets.length).toBe(1)
    await pass(2500)
    expect(sockets.length).toBe(2)
    expect(sockets[0]!.closed).toBe(true)
    last().onopen?.()
    expect(last().of('hello')[0]).toEqual(sockets[0]!.of('hello')[0])
    expect(last().of('hello')[0]!.nonce).toMatch(/^.{16,64}$/)
    last().say(welcome('R1'))
    expect(client.phase.name).toBe('joined')
    expect(kept.has('nonce')).toBe(false)
  })

  it('whoever reached the server in another way says so, and a socket from before is given up', () => {
    const client = joined()
    last().die()
    clock.pass(10)
    const stale = last()
    expect(client.reached()).toBe(false)
    clock.pass(600)
    expect(client.reached()).toBe(true)
    expect(stale.closed).toBe(true)
    expect(last()).not.toBe(stale)
    last().onopen?.()
    last().say(welcome('R2', true))
    expect(client.reached()).toBe(true)
    expect(last().closed).toBe(false)
  })

  it.each([
    [3, 'link'],
    [4, 'server'],
  ])('says what it was: life %i', (life, why) => {
    const client = joined(undefined, { life: 3 })
    let said = ''
    client.on('back', (back) => (said = back.why))
    last().die()
    clock.pass(10)
    last().onopen?.()
    last().say({ ...welcome('R2', true), life })
    expect(said).toBe(why)
  })

  it('after a reload says how long it was away', () => {
    kept.set('resume', 'R')
    const client = make(null)
    let back: unknown
    client.on('back', (one) => (back = one))
    client.start()
    last().onopen?.()
    last().say({ ...welcome('R2', true), away_seconds: 1.5 })
    expect(back).toEqual({ away: 1500, why: 'reload' })
  })

  it('jitter keeps a province from coming back in one beat', () => {
    expect(wait(0, 0.9)).toBe(0)
    for (const attempt of [1, 2, 3, 6, 50]) {
      expect(wait(attempt, 0)).toBeCloseTo(wait(attempt, 0.999) / 2, -1)
      expect(wait(attempt, 0.999)).toBeLessThanOrEqual(LONGEST_WAIT)
    }
  })

  it('waits as long as a bye with retry asks', () => {
    joined()
    last().say({ type: 'bye', code: 'draining', message: '', retry: true, after: 3 })
    const count = sockets.length
    clock.pass(2900)
    expect(sockets.length).toBe(count)
    clock.pass(200)
    expect(sockets.length).toBe(count + 1)
  })

  it('gives up a socket that says nothing, though it stays open', () => {
    const client = joined()
    const silent = last()
    clock.pass(10_000)
    expect(silent.closed).toBe(true)
    expect(client.phase.name).toBe('connecting')
    expect(silent.of('ping').length).toBeGreaterThan(1)
  })

  it('keeps a socket that answers', () => {
    const client = joined()
    const socket = last()
    for (let i = 0; i < 30; i++) {
      clock.pass(1000)
      const ping = socket.of('ping').at(-1)
      if (ping) socket.say({ type: 'pong', at: ping.at, now: clock.at / 1000 })
    }
    expect(client.phase.name).toBe('joined')
    expect(sockets.length).toBe(1)
  })

  it('gives up a hello that nobody answers', () => {
    make().start()
    last().onopen?.()
    const first = last()
    clock.pass(6500)
    expect(first.closed).toBe(true)
    expect(sockets.length).toBeGreaterThan(1)
  })

  it('makes before it breaks: the old socket serves until the new one is welcome', () => {
    const client = joined()
    const old = last()
    client.refresh()
    const fresh = last()
    expect(fresh).not.toBe(old)
    expect(old.closed).toBe(false)
    expect(client.send({ type: 'leave' })).toBe(true)
    expect(old.of('leave')).toHaveLength(1)
    fresh.onopen?.()
    fresh.say(welcome('R2', true))
    expect(old.closed).toBe(true)
    expect(phases).not.toContain('over')
    expect(phases.filter((name) => name === 'connecting')).toHaveLength(1)
    old.say({ type: 'bye', code: 'replaced', message: '' })
    expect(client.phase.name).toBe('joined')
  })

  it('a new socket that fails loses nothing while the old one serves', () => {
    const client = joined()
    const old = last()
    client.refresh()
    last().die()
    expect(client.phase.name).toBe('joined')
    clock.pass(2000)
    expect(old.of('ping').length).toBeGreaterThan(0)
  })

  it('refresh cuts the waiting short', () => {
    const client = joined()
    for (let i = 0; i < 8; i++) {
      last().die()
      while (last().closed) clock.pass(100)
    }
    last().die()
    const count = sockets.length
    client.refresh()
    expect(sockets.length).toBe(count + 1)
    client.refresh() // the network is another one again
    expect(sockets.length).toBe(count + 2)
    expect(sockets[count]!.closed).toBe(true)
  })
})

describe('order', () => {
  it('drops an older room and hears a chat line once', () => {
    const client = joined()
    const seen: number[] = []
    const lines: number[] = []
    client.on('room', (r) => seen.push(r.rev))
    client.on('chat_line', (line) => lines.push(line.n))
    last().say(room(5))
    last().say(room(4))
    last().say(room(6))
    expect(seen).toEqual([5, 6])
    const line = { type: 'chat_line', n: 1, id: 'a', seat: 's2', name: 'x', at: 1, text: 'y' } as const
    last().say(line)
    last().say(line)
    expect(client.hear(line)).toBe(false)
    expect(lines).toEqual([1])
  })

  it('passes over what it does not understand', () => {
    const client = joined()
    for (const data of ['', '{', '[]', '5', 'null', '{"type":7}', new ArrayBuffer(2)]) last().onmessage?.({ data })
    expect(client.phase.name).toBe('joined')
  })

  it('numbers peer connections ever higher, over a reload too', () => {
    const first = joined()
    const numbers = [first.nextPc(), first.nextPc(), first.nextPc()]
    const again = make(null)
    numbers.push(again.nextPc())
    kept.delete('pc')
    clock.pass(10_000)
    numbers.push(make(null).nextPc())
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.at(-1)).toBeLessThan(1_000_000_000)
  })

  it('learns the clock of the server', () => {
    const client = joined()
    clock.pass(2000)
    const ping = last().of('ping').at(-1)!
    clock.pass(100)
    last().say({ type: 'pong', at: ping.at, now: (clock.at - 50) / 1000 + 3600 })
    expect(client.offset).toBeCloseTo(3_600_000, -1)
  })
})

describe('chat', () => {
  it('waits for the link and is confirmed by its own line', () => {
    const client = joined()
    last().die()
    const id = client.say('đã cho nằm đầu cao')
    expect(client.outbox.waiting.map((d) => d.id)).toEqual([id])
    clock.pass(0)
    last().onopen?.()
    last().say(welcome('R2', true))
    expect(last().of('chat')).toEqual([{ type: 'chat', id, text: 'đã cho nằm đầu cao' }])
    last().say({ type: 'chat_line', n: 1, id: id!, seat: 's1', name: 'Lan', at: 1, text: '…' })
    expect(client.outbox.waiting).toEqual([])
  })

  it('survives a reload', () => {
    const client = joined()
    last().die()
    client.say('nháp')
    expect(make(null).outbox.waiting.map((d) => d.text)).toEqual(['nháp'])
  })

  it('is sent again, by the other way, until it is confirmed, and only then', () => {
    const client = joined()
    const talked: string[] = []
    client.talk = (text) => talked.push(text) > 0
    client.say('a')
    expect(talked).toHaveLength(1)
    expect(last().of('chat')).toHaveLength(0)
    client.say('b')
    expect(talked).toHaveLength(2)
    clock.pass(4100)
    expect(
      last()
        .of('chat')
        .map((m) => m.text),
    ).toEqual(['a', 'b'])
  })

  it('is not sent from the waiting room', () => {
    const client = make()
    client.start()
    last().onopen?.()
    last().say(welcome('R1'))
    last().say(room(1, 'waiting'))
    client.say('a')
    clock.pass(10_000)
    expect(last().of('chat')).toHaveLength(0)
    last().onopen?.()
    last().say(welcome('R1', true))
    last().say(room(2))
    expect(last().of('chat')).toHaveLength(1)
  })

  it('another person with the same id confirms nothing', () => {
    const client = joined()
    const id = client.say('a')!
    last().say({ type: 'chat_line', n: 1, id, seat: 's2', name: 'x', at: 1, text: 'y' })
    expect(client.outbox.waiting).toHaveLength(1)
  })

  it('refuses the empty, the too long, and more than it can hold', () => {
    const client = joined()
    expect(client.say('  ')).toBeNull()
    expect(client.say('x'.repeat(2001))).toBeNull()
    last().die()
    for (let i = 0; i < CAPACITY; i++) expect(client.say(`${i}`)).not.toBeNull()
    expect(client.say('one more')).toBeNull()
  })

  it('starts empty from a store that holds nonsense', () => {
    for (const value of ['{', '5', 'null', '[1,{"id":2}]', '{"a":1}'])
      expect(new Outbox({ get: () => value, set: () => {} }).waiting).toEqual([])
  })
})
