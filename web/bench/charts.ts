/** The wall's own charts. */
import { mount } from 'svelte'
import type { Draw, Subscription } from './main'
import Charts from './Charts.svelte'

export function begin(box: HTMLElement, { mirror }: Subscription): Draw {
  const ids = [...mirror.things.values()].flatMap((thing) => thing.streams.map((stream) => stream.id))
  const asked = new URLSearchParams(location.search)
  const span = Number(asked.get('window')) // s
  const to = Number(asked.get('end')) || Date.now()
  const charts = mount(Charts, { target: box, props: { ids, span, to } })
  const place = new Map(ids.map((id, i) => [id, i]))
  return (streams) => {
    for (const id of streams) {
      const value = mirror.values.get(id)
      if (value) charts.append(place.get(id)!, value.time / 1e6, value.result as number)
    }
  }
}
