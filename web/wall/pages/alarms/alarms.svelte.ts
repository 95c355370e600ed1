/** The alarms that the page shows, and what an operator does to one. */
import { type Page, ask } from '../../data/api'
import { type Alarm, type Out, type PriorityWord, aside, order, rank } from '../../data/alarms'
import { areas } from '../../data/areas.svelte'
import { Poll, type Source } from '../../data/poll.svelte'
import { session } from '../../data/session.svelte'
import { standing } from '../../data/standing.svelte'
import { bounds, formatRange } from '../../shell/range'
import { range } from '../../shell/range.svelte'
import { router } from '../../shell/router.svelte'

export const views = ['open', 'aside', 'history', 'figures', 'rules'] as const
export type View = (typeof views)[number]

/** What stands and fits the filter, as the hub tells it; members of a storm when its entry is looked into. */
class Current implements Source<Alarm[]> {
  readonly #of: Alarms
  readonly value = $derived.by((): Alarm[] | null => {
    const { storm, area, priority } = this.#of
    const list = storm ? standing.every?.filter((one) => String(one.storm) === storm) : standing.value
    const least = rank[priority as PriorityWord] ?? 4
    return list?.filter((one) => rank[one.priority] <= least && (!area || areas.within(one.area, area))) ?? null
  })

  constructor(of: Alarms) {
    this.#of = of
  }

  get trouble() {
    return standing.trouble
  }

  now(): Promise<void> {
    return standing.now()
  }
}

class Alarms {
  readonly view = $derived<View>(views.find((one) => one === router.option('view')) ?? 'open')
  readonly priority = $derived(router.option('priority'))
  readonly area = $derived(router.option('area'))
  readonly storm = $derived(router.option('storm'))
  readonly current = new Current(this)
  /** The beginning of rules' names: `air-` are those of a city service. */
  readonly rule = $derived(router.option('rules'))
  /** Only those given to whoever looks. */
  readonly mine = $derived(router.option('mine') === '1')
  readonly past: Poll<Page<Alarm>> = new Poll((signal) => {
    const { from, to } = bounds(range.value, Date.now())
    return ask(`/api/alarms/history?limit=200&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}${this.#filters()}`, { signal })
  }, 30_000) // prettier-ignore

  readonly outs: Poll<Out[]> = new Poll((signal) => ask('/api/alarms/out', { signal }), 15_000)

  /** The rows of the view, in its order. */
  readonly rows = $derived.by((): Alarm[] => {
    const mine = (one: Alarm) => one.rule.startsWith(this.rule) && (!this.mine || one.assignee === session.me?.id)
    if (this.view === 'history') return (this.past.value?.items ?? []).filter(mine)
    const wanted = (this.current.value ?? []).filter((one) => aside(one) === (this.view === 'aside') && mine(one))
    return wanted.sort(order)
  })
  readonly source = $derived(this.view === 'history' ? this.past : this.current)

  #filters(): string {
    const asked = { priority: this.priority, area: this.area }
    return Object.entries(asked)
      .filter(([, value]) => value)
      .map(([name, value]) => `&${name}=${encodeURIComponent(value)}`)
      .join('')
  }

  /** Asks while the component that calls it is there. */
  follow(): void {
    $effect(() => (this.area ? areas.all.start() : undefined))
    $effect(() => {
      if (this.view !== 'history') return
      void [formatRange(range.value), this.priority, this.area]
      return this.past.start()
    })
  }

  /** Does something to an alarm and shows what became of it at once. Throws what the server says. */
  async act(id: number, what: string, body: unknown = {}): Promise<Alarm> {
    const alarm = await ask<Alarm>(`/api/alarms/${id}/${what}`, { method: 'POST', body })
    await Promise.all([this.current.now(), this.view === 'history' ? this.past.now() : undefined])
    return alarm
  }

  /** A rule at a Thing is told no more (`suppressed`, `out-of-service`), or is again (`in-service`). */
  async out(rule: string, thing: string, mode: Out['mode'] | 'in-service', comment: string): Promise<void> {
    await ask<Out[]>('/api/alarms/out', { method: 'PUT', body: { rule, thing, mode, comment } })
    await Promise.all([this.current.now(), this.outs.now()])
  }
}

export const alarms = new Alarms()
