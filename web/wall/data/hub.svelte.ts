/** The page's one connection to the live hub (docs/live-protocol.md): two subscriptions, values and alarms, so that a
 *  province with too many values for one of them still has its alarms live. What the hub does not give is asked for. */
import { LiveClient, type Subscription, type Wanted, hubUrl } from '../../live/client'
import { CLOSE } from '../../live/messages'
import type { Changes } from '../../live/mirror'
import { link } from './link.svelte'
import { session } from './session.svelte'

/** Updates of values a second. */
const RATE = 10
/** ms without the hub after which the API is asked instead. */
const PATIENCE = 5000

/** One subscription, and whether what it holds is the present. */
export class Feed {
  /** The hub tells it: its mirror is what is the case. */
  there = $state(false)
  /** It has not been there for long, or the hub refuses it: ask. */
  missing = $state(false)
  onchange: (changes: Changes) => void = () => undefined
  #followed: Subscription | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(readonly wanted: Wanted) {}

  get mirror() {
    return this.#followed?.mirror ?? null
  }

  follow(client: LiveClient): void {
    this.#followed = client.follow(this.wanted)
    this.#followed.on('change', (changes) => {
      this.there = true
      this.missing = false
      this.#wait(false)
      this.onchange(changes)
    })
    this.#followed.on('error', () => {
      // Too many values for a subscription, say: nothing will come, however long one waits.
      this.#wait(false)
      this.there = false
      this.missing = true
    })
    this.gone()
  }

  /** The socket is gone: a while later somebody must ask. */
  gone(): void {
    this.there = false
    this.#wait(true)
  }

  #wait(begin: boolean): void {
    if (begin) {
      this.#timer ??= setTimeout(() => (this.missing = true), PATIENCE)
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  stop(): void {
    this.#wait(false)
    this.#followed?.close()
    this.#followed = null
  }
}

class Hub {
  readonly values = new Feed({ rate: RATE, alarms: false })
  readonly alarms = new Feed({ values: false })
  /** How the page gets what is new: told by the hub, or by asking. */
  readonly told = $derived(this.values.there || this.alarms.there)
  #client: LiveClient | null = null

  /** Begins; returns what ends it. */
  start(): () => void {
    const client = (this.#client = new LiveClient({ url: hubUrl(location) }))
    const feeds = [this.values, this.alarms]
    client.on('phase', (phase) => {
      if (phase.name === 'open') return link.socket(null)
      feeds.forEach((feed) => feed.gone())
      // One that never was there is no outage: a proxy that lets no WebSocket through, say.
      if (phase.name === 'connecting' && phase.was) link.socket(phase.since)
      if (phase.name === 'refused' && phase.code === CLOSE.SIGNED_OUT) void session.start().catch(() => link.silent())
    })
    client.on('source', ({ away, since }) => (link.source = away ? (since === null ? Date.now() : since / 1000) : null))
    feeds.forEach((feed) => feed.follow(client))
    client.start()
    const online = () => client.refresh()
    addEventListener('online', online)
    return () => {
      removeEventListener('online', online)
      feeds.forEach((feed) => feed.stop())
      client.stop()
      this.#client = null
    }
  }

  /** Look again at once. */
  refresh(): void {
    this.#client?.refresh()
  }
}

export const hub = new Hub()
