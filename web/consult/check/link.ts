/** The link check before a call: rate down and up over HTTPS, loss and round trip over a real peer connection. */

export interface LinkResult {
  /** bit/s; null where it could not be measured. */
  down: number | null
  up: number | null
  /** Share of packets that did not come back, 0 to 1. */
  loss: number | null
  /** ms there and back, median. */
  rtt: number | null
}

/** What the link is good for. */
export type Verdict = 'good' | 'fair' | 'audio' | 'bad' | 'unknown'

/** Audio needs some 60 kb/s each way, a small picture 300, a good one 1200; beyond 10 % loss a picture freezes. */
export function verdict({ down, up, loss, rtt }: LinkResult): Verdict {
  const rates = [down, up].filter((rate) => rate !== null)
  if (rates.length === 0) return 'unknown'
  const rate = Math.min(...rates)
  const lost = loss ?? 0
  if (rate < 60_000 || lost > 0.3) return 'bad'
  if (rate < 300_000 || lost > 0.1 || (rtt ?? 0) > 800) return 'audio'
  if (rate < 1_200_000 || lost > 0.03 || (rtt ?? 0) > 300) return 'fair'
  return 'good'
}

export interface Api {
  /** `…/consult/api`. */
  base: string
  token: string
}

const STEPS = [20_000, 100_000, 400_000, 1_500_000, 4_000_000] // bytes
const LONG_ENOUGH = 700 // ms: a transfer this long says enough about the rate
const TIMEOUT = 6000 // ms for one transfer

/** bit/s of ever larger transfers, until one lasts long enough; the last one counts. Null when none came through. */
export async function rate(transfer: (bytes: number) => Promise<void>, clock: () => number): Promise<number | null> {
  let found: number | null = null
  for (const bytes of STEPS) {
    const start = clock()
    try {
      await transfer(bytes)
    } catch {
      return found
    }
    const ms = Math.max(1, clock() - start)
    found = (bytes * 8 * 1000) / ms
    if (ms >= LONG_ENOUGH) break
  }
  return found
}

const headers = (api: Api) => ({ Authorization: `Bearer ${api.token}` })

export function down(api: Api): Promise<number | null> {
  return rate(
    async (bytes) => {
      const response = await fetch(`${api.base}/link/down?bytes=${bytes}`, {
        headers: headers(api),
        cache: 'no-store',
        signal: AbortSignal.timeout(TIMEOUT),
      })
      if (!response.ok) throw new Error(String(response.status))
      await response.arrayBuffer()
    },
    () => performance.now(),
  )
}

export function up(api: Api): Promise<number | null> {
  // Random bytes, so that nothing on the way makes them smaller. getRandomValues gives 65,536 at a time.
  const block = crypto.getRandomValues(new Uint8Array(65_536))
  return rate(
    async (bytes) => {
      const parts = Array.from({ length: Math.ceil(bytes / block.length) }, () => block)
      const response = await fetch(`${api.base}/link/up`, {
        method: 'POST',
        headers: headers(api),
        body: new Blob(parts).slice(0, bytes),
        signal: AbortSignal.timeout(TIMEOUT),
      })
      if (!response.ok) throw new Error(String(response.status))
      await response.arrayBuffer()
    },
    () => performance.now(),
  )
}

const ECHOES = 100
const EVERY = 20 // ms: as often as a voice's packets
const PATIENCE = 2000 // ms after the last one

/** Loss and round trip of small packets over a real peer connection; nulls when none can be had. */
export async function echo(api: Api): Promise<Pick<LinkResult, 'loss' | 'rtt'>> {
  const pc = new RTCPeerConnection()
  try {
    const channel = pc.createDataChannel('echo', { ordered: false, maxRetransmits: 0 })
    await pc.setLocalDescription(await pc.createOffer())
    await gathered(pc)
    const response = await fetch(`${api.base}/link/echo`, {
      method: 'POST',
      headers: { ...headers(api), 'Content-Type': 'application/json' },
      body: JSON.stringify({ sdp: pc.localDescription?.sdp }),
      signal: AbortSignal.timeout(TIMEOUT),
    })
    if (!response.ok) return { loss: null, rtt: null }
    const { sdp } = (await response.json()) as { sdp: string }
    await pc.setRemoteDescription({ type: 'answer', sdp })
    await opened(channel)
    return await exchange(channel)
  } catch {
    return { loss: null, rtt: null }
  } finally {
    pc.close()
  }
}

function gathered(pc: RTCPeerConnection): Promise<void> {
  return new Promise((done) => {
    if (pc.iceGatheringState === 'complete') return done()
    setTimeout(done, 1500) // what was found by then must do
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done()
  })
}

function opened(channel: RTCDataChannel): Promise<void> {
  return new Promise((done, fail) => {
    channel.onopen = () => done()
    channel.onclose = () => fail(new Error('closed'))
    setTimeout(() => fail(new Error('late')), TIMEOUT)
  })
}

function exchange(channel: RTCDataChannel): Promise<Pick<LinkResult, 'loss' | 'rtt'>> {
  const sent = new Map<string, number>()
  const trips: number[] = []
  return new Promise((done) => {
    const finish = () => {
      clearInterval(timer)
      trips.sort((a, b) => a - b)
      const rtt = trips[Math.floor(trips.length / 2)] ?? null
      done({ loss: sent.size > 0 ? 1 - trips.length / sent.size : null, rtt })
    }
    channel.onmessage = ({ data }) => {
      const at = sent.get(String(data))
      if (at === undefined) return
      trips.push(performance.now() - at)
      if (trips.length === ECHOES) finish()
    }
    channel.onclose = finish
    const timer = setInterval(() => {
      const name = String(sent.size)
      sent.set(name, performance.now())
      channel.send(name)
      if (sent.size >= ECHOES) {
        clearInterval(timer)
        setTimeout(finish, PATIENCE)
      }
    }, EVERY)
  })
}
