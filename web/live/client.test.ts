import { beforeEach, describe, expect, it } from 'vitest'
import { Timers } from '../consult/protocol/timers'
import { hubUrl, LiveClient, type Socket } from './client'
import { type Alarm, type AlarmChange, type ClientMessage, CLOSE, type HubMessage } from './messages'

class TestClock extends Timers {
  override at = 1_800_000_000_000
}

class TestSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  sent: ClientMessage[] = []
  closed = false
  send(text: string) {
    this.sent.push(JSON.parse(text) as ClientMessage)
  }
  close() {
    this.closed = true
  }
  say(message: HubMessage) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  die(code = 1006) {
    this.onclose?.({ code, reason: '' })
  }
}

const hello: HubMessage = { op: 'hello', version: 1, hub: 'h', beat: 2, limits: {} }
const thing = (id: number, ...streams: number[]) => ({
  id,
  name: `t-${id}`,
  label: '',
  kind: 'air',
  area: null,
  location: null,
  streams: streams.map((stream) => ({ id: stream, property: 'pm2_5', unit: 'ug/m3' })),
})

let clock: TestClock
let sockets: TestSocket[]
let client: LiveClient

beforeEach(() => {
  clock = new TestClock()
  sockets = []
  client = new LiveClient({
    url: 'ws://x/live',
    clock,
    open: () => {
      const socket = new TestSocket()
      sockets.push(socket)
      return socket
    },
  })
})

const last = () => sockets[sockets.length - 1] as TestSocket
function open() {
  client.start()
  last().say(hello)
}

describe('following', () => {
  it('folds a snapshot and events', () => {
    open()
    const sub = client.follow({ filter: { domains: ['air'] }, rate: 5 })
    expect(last().sent).toEqual([{ op: 'subscribe', id: 's1', filter: { domains: ['air'] }, rate: 5 }])
    last().say({
      op: 'snapshot',
      id: 's1',
      seq: 'a',
      reason: 'subscribed',
      things: [thing(1, 10, 11), thing(2, 20)],
      values: [
        [10, 1000, 1.5],
        [11, 1000, 'mở', 2],
        [20, 1000, 7],
      ],
    })
    expect(sub.mirror.values.get(11)).toEqual({ time: 1000, result: 'mở', quality: 2 })
    last().say({
      op: 'events',
      id: 's1',
      after: 'a',
      seq: 'b',
      gone: [2],
      things: [thing(1, 10)],
      values: [[10, 2000, 3]],
    })
    expect([...sub.mirror.values]).toEqual([[10, { time: 2000, result: 3, quality: 0 }]])
    expect([...sub.mirror.things.keys()]).toEqual([1])
    last().say({ op: 'events', id: 's1', after: 'b', seq: 'c', values: [[10]] })
    expect(sub.mirror.values.size).toBe(0)
    expect(sub.mirror.seq).toBe('c')
  })

  it('keeps alarms until they are normal or fit no more', () => {
    open()
    const sub = client.follow()
    const told: string[] = []
    sub.on('change', (changes) => told.push(...changes.alarms.map((change) => change.kind)))
    const change = (id: number, kind: string, state: string) =>
      ({ kind, alarm: { id, state } as Alarm }) as unknown as AlarmChange
    last().say({ op: 'snapshot', id: 's1', seq: 'a', reason: 'subscribed' })
    last().say({
      op: 'events',
      id: 's1',
      after: 'a',
      seq: 'b',
      alarms: [change(1, 'raised', 'unacknowledged'), change(2, 'raised', 'unacknowledged')],
    })
    expect([...sub.mirror.alarms.keys()]).toEqual([1, 2])
    last().say({ op: 'events', id: 's1', after: 'b', seq: 'c', alarms: [change(1, 'closed', 'normal')], left: [2] })
    expect(sub.mirror.alarms.size).toBe(0)
    expect(told).toEqual(['raised', 'raised', 'closed'])
  })

  it('asks for a snapshot when something is missing', () => {
    open()
    const sub = client.follow()
    last().say({ op: 'snapshot', id: 's1', seq: 'a', reason: 'subscribed', things: [thing(1, 10)] })
    last().say({ op: 'events', id: 's1', after: 'other', seq: 'z', values: [[10, 1, 1]] })
    expect(sub.mirror.values.size).toBe(0)
    expect(last().sent.at(-1)).toEqual({ op: 'resync', id: 's1' })
  })

  it('passes over what it does not know', () => {
    open()
    last().onmessage?.({ data: '{"op":"newer"}' })
    last().onmessage?.({ data: 'nonsense' })
    last().onmessage?.({ data: new ArrayBuffer(2) })
    expect(client.phase.name).toBe('open')
  })

  it('says what the hub refuses, and whether its source is away', () => {
    open()
    const sub = client.follow()
    const said: unknown[] = []
    sub.on('error', (problem) => said.push(problem.code))
    client.on('source', (source) => said.push(source))
    last().say({ op: 'error', code: 'too-many', message: 'm', id: 's1' })
    last().say({ op: 'beat', now: 2, source: 'away', since: 1 })
    last().say({ op: 'beat', now: 3 })
    expect(said).toEqual(['too-many', { away: true, since: 1 }, { away: false, since: null }])
  })
})

describe('coming back', () => {
  it('goes on from where it stood', () => {
    open()
    client.follow()
    last().say({ op: 'snapshot', id: 's1', seq: 'a', reason: 'subscribed' })
    last().die()
    expect(client.phase.name).toBe('connecting')
    clock.pass(1)
    expect(sockets).toHaveLength(2)
    last().say(hello)
    expect(last().sent).toEqual([{ op: 'subscribe', id: 's1', after: 'a' }])
    last().say({ op: 'resumed', id: 's1', seq: 'a' })
    expect(last().sent).toHaveLength(1)
  })

  it('notices silence within seconds, and hears beats', () => {
    open()
    for (let n = 0; n < 10; n += 1) {
      clock.pass(2000)
      last().say({ op: 'beat', now: n })
    }
    expect(sockets).toHaveLength(1)
    clock.pass(6001)
    expect(sockets).toHaveLength(2)
    expect(sockets[0]?.closed).toBe(true)
  })

  it('gives up a socket that never greets, and waits longer each time', () => {
    client.start()
    clock.pass(60_000)
    const tried = sockets.length
    expect(tried).toBeGreaterThan(3)
    expect(tried).toBeLessThan(9)
  })

  it('tries a renewed cookie once, then says that it is refused, and looks again', () => {
    open()
    last().die(CLOSE.SIGNED_OUT)
    expect(sockets).toHaveLength(2)
    last().die(CLOSE.SIGNED_OUT)
    expect(client.phase).toEqual({ name: 'refused', code: CLOSE.SIGNED_OUT, reason: '' })
    clock.pass(30_000)
    expect(sockets).toHaveLength(3)
    client.refresh()
    last().say(hello)
    expect(client.phase.name).toBe('open')
  })

  it('leaves a full hub alone for a while', () => {
    open()
    last().die(CLOSE.FULL)
    clock.pass(2900)
    expect(sockets).toHaveLength(1)
    clock.pass(200)
    expect(sockets).toHaveLength(2)
  })

  it('stops', () => {
    open()
    client.stop()
    clock.pass(100_000)
    expect(sockets).toHaveLength(1)
    expect(client.phase.name).toBe('idle')
  })
})

it('finds the hub beside the page', () => {
  expect(hubUrl({ protocol: 'https:', host: 'ioc.vn' })).toBe('wss://ioc.vn/live')
  expect(hubUrl({ protocol: 'http:', host: '127.0.0.1:8080' })).toBe('ws://127.0.0.1:8080/live')
})
