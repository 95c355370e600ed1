/** What bench/web.py measures apart from the wall's own pages: twenty charts, and the peers that get the same events of the
 *  same hub. Built only for that (TRAM_X_WEB_BENCH). `?what=charts|echarts|maplibre&domain=…` */
import '$ui/base.css'
import { hubUrl, LiveClient } from '../live/client'

const asked = new URLSearchParams(location.search)
const client = new LiveClient({ url: hubUrl(location) })
const live = client.follow({ filter: { domains: [asked.get('domain') ?? ''] }, rate: 20, alarms: false })

/** What a drawing does with news: the Datastreams whose values are others. */
export type Draw = (streams: readonly number[]) => void
export type { Subscription } from '../live/client'

const measured = { ready: false, failed: '', events: 0, updates: 0 }
Object.assign(window, { measured })

live.on('change', (changes) => {
  if (measured.ready || !changes.all) return
  const box = document.getElementById('page')!
  const made = {
    charts: () => import('./charts'),
    echarts: () => import('./echarts'),
    maplibre: () => import('./maplibre'),
  }
  void made[asked.get('what') as 'charts']()
    .then(({ begin }) => begin(box, live))
    .then((draw: Draw) => {
      measured.ready = true
      live.on('change', ({ streams }) => {
        measured.updates += 1
        measured.events += streams.length
        draw(streams)
      })
    })
    .catch((error: unknown) => (measured.failed = String(error)))
})
client.start()
