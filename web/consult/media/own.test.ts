import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AGAIN, UNANSWERED } from './asking'
import { Own } from './own.svelte'

type Answer = (kind: 'audio' | 'video') => Promise<unknown>

class Track {
  enabled = true
  contentHint = ''
  onended: (() => void) | null = null
  stopped = false
  constructor(readonly kind: string) {}
  stop() {
    this.stopped = true
  }
}
const stream = (kind: string) => ({ getTracks: () => [new Track(kind)] })
const failed = (name: string) => Object.assign(new Error(name), { name })

let answers: Answer[]
let asked: string[]
let plug: () => void

beforeEach(() => {
  vi.useFakeTimers()
  answers = []
  asked = []
  const mediaDevices = {
    addEventListener: (_: string, then: () => void) => (plug = then),
    enumerateDevices: () => Promise.resolve([]),
    getUserMedia: (wanted: object) => {
      const kind = 'audio' in wanted ? 'audio' : 'video'
      asked.push(kind)
      return (answers.shift() ?? ((what) => Promise.resolve(stream(what))))(kind)
    },
  }
  const permissions = { query: () => Promise.resolve({ state: 'granted' }) }
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('RTCPeerConnection', () => null)
  vi.stubGlobal('navigator', { mediaDevices, permissions })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('own devices', () => {
  it('a microphone that never answers holds nobody up, and is asked for anew', async () => {
    answers = [() => new Promise(() => {})]
    const own = new Own()
    void own.start({ camera: true, microphone: true })
    await pass(UNANSWERED - 1)
    expect([own.asking, own.late, own.microphone]).toEqual([true, false, null])
    await pass(1)
    expect(own.microphone).not.toBeNull()
    expect(own.camera).not.toBeNull()
    expect([own.asking, own.late]).toEqual([false, false])
  })

  it('one that would not open is there a moment later, and its trouble is gone', async () => {
    answers = [() => Promise.reject(failed('AbortError'))]
    const own = new Own()
    await own.start({ camera: true, microphone: true })
    expect(own.troubles.microphone).toBe('busy')
    await pass(AGAIN[0])
    expect(own.microphone).not.toBeNull()
    expect(own.troubles.microphone).toBeUndefined()
  })

  it('one that ended comes back by itself, now or when it is plugged in again; a camera that was turned off does not', async () => {
    const own = new Own()
    await own.start({ camera: true, microphone: true })
    const end = (track: MediaStreamTrack | null) => (track as unknown as Track).onended?.()
    end(own.microphone)
    expect([own.microphone, own.troubles.microphone]).toEqual([null, 'none'])
    answers = [() => Promise.reject(failed('NotFoundError'))]
    await pass(100_000)
    expect(own.microphone).toBeNull()
    plug()
    await pass(0)
    expect(own.microphone).not.toBeNull()

    end(own.camera)
    own.stopCamera()
    plug()
    await pass(100_000)
    expect(own.camera).toBeNull()
    expect(asked).toEqual(['audio', 'video', 'audio', 'audio'])
  })

  it('what comes after the call is over is given back', async () => {
    const late = new Track('audio')
    let come: (stream: unknown) => void = () => {}
    answers = [() => new Promise((then) => (come = then))]
    const own = new Own()
    void own.start({ camera: true, microphone: true })
    own.stop()
    come({ getTracks: () => [late] })
    await pass(100_000)
    expect(late.stopped).toBe(true)
    expect(asked).toEqual(['audio'])
    expect(own.microphone).toBeNull()
  })
})
