/** The same in ECharts, which bench/web.py serves as peer.js: every chart once a frame, with all its points. */
import type { Draw, Subscription } from './main'
import { past } from './past'

interface Chart {
  setOption(option: unknown): void
}
declare const echarts: { init(box: HTMLElement, theme: string | null): Chart }

export async function begin(box: HTMLElement, { mirror }: Subscription): Promise<Draw> {
  await new Promise((done, fail) => {
    const script = document.createElement('script')
    Object.assign(script, { src: '/bench-ui/peer.js', onload: done, onerror: fail })
    document.head.append(script)
  })
  box.style.cssText = 'display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:8px;padding:8px'
  const span = 300
  const charts = new Map<number, { chart: Chart; data: [number, number][] }>()
  for (const [i, thing] of [...mirror.things.values()].entries()) {
    const tile = box.appendChild(document.createElement('div'))
    tile.style.height = '150px'
    const { times, values } = past(i, Date.now() / 1000, span)
    const data = times.map((at, k): [number, number] => [at * 1000, values[k]!])
    const chart = echarts.init(tile, null)
    chart.setOption({
      animation: false,
      grid: { left: 40, right: 4, top: 4, bottom: 24 },
      xAxis: { type: 'time' },
      yAxis: { type: 'value', scale: true },
      series: [{ type: 'line', showSymbol: false, sampling: 'minmax', lineStyle: { width: 1.6 }, data }],
    })
    for (const stream of thing.streams) charts.set(stream.id, { chart, data })
  }
  const dirty = new Set<number>()
  let asked = false
  return (streams) => {
    for (const id of streams) {
      const value = mirror.values.get(id)
      const data = charts.get(id)?.data
      if (!value || !data) continue
      data.push([value.time / 1000, value.result as number])
      if (data.length > 3300) data.splice(0, 300)
      dirty.add(id)
    }
    if (!asked) requestAnimationFrame(draw)
    asked = true
  }
  function draw(): void {
    asked = false
    for (const id of dirty) {
      const { chart, data } = charts.get(id)!
      const end = data.at(-1)![0]
      chart.setOption({ xAxis: { min: end - span * 1000, max: end }, series: [{ data }] })
    }
    dirty.clear()
  }
}
