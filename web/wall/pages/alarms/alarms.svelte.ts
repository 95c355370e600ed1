/** The alarms that the page shows, and what an operator does to one. */
import { type Page, all, ask } from '../../data/api'
import { type Alarm, type Out, type PriorityWord, aside, order, rank } from '../../data/alarms'
import { areas } from '../../data/areas.svelte'
import { Poll, type Source } from '../../data/poll.svelte'
import { session } from '../../data/session.svelte'
import { standing } from '../../data/standing.svelte'
import { bounds, formatRange } from '../../shell/range'
import { range } from '../../shell/range.svelte'
import { score } from '../../shell/find'
import { router } from '../../shell/router.svelte'

const SEARCHED = 1000 // of a period are looked through for a text

export const views = ['open', 'aside', 'history', 'figures', 'rules'] as const
export type View = (typeof views)[number]

/** A storm's entry lies where one of its members does. */
function inside(alarm: Alarm, area: string): boolean {
  if (alarm.kind !== 'storm') return areas.within(alarm.area, area)
  return standing.every?.some((one) => one.storm === alarm.id && areas.within(one.area, area)) ?? false
}

/** What is searched of an alarm: what it says in both languages, its device, its rule and its area. */
export const searched = (alarm: Alarm): string =>
  [
    ...Object.values(alarm.message),
    alarm.label,
    alarm.thing,
    alarm.rule,
    alarm.area ? areas.name(alarm.area) : '',
  ].join(' · ')

/** What stands and fits the filter, as the hub tells it; members of a storm when its entry is looked into. */
class Current implements Source<Alarm[]> {
  readonly #of: Alarms
  /** Before any filter but the storm whose members are looked at. */
  readonly all = $derived.by((): Alarm[] | null => {
    const { storm } = this.#of
    return (storm ? standing.every?.filter((one) => String(one.storm) === storm) : standing.value) ?? null
  })
  readonly value = $derived.by((): Alarm[] | null => {
    const { area, priority } = this.#of
    const least = rank[priority as PriorityWord] ?? 4
    return this.all?.filter((one) => rank[one.priority] <= least && (!area || inside(one, area))) ?? null
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
  /** Words that each must have, with or without Vietnamese marks. */
  readonly text = $derived(router.option('q'))
  readonly filtered = $derived(Boolean(this.priority || this.area || this.storm || this.rule || this.mine || this.text))
  readonly past: Poll<Page<Alarm>> = new Poll(async (signal) => {
    const { from, to } = bounds(range.value, Date.now())
    const path = `/api/alarms/history?limit=200&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}${this.#filters()}`
    if (!this.text) return ask(path, { signal })
    const items = await all<Alarm>(path, SEARCHED, signal)
    return { items, next: items.length < SEARCHED ? null : 'more' }
  }, 30_000) // prettier-ignore

  readonly outs: Poll<Out[]> = new Poll((signal) => ask('/api/alarms/out', { signal }), 15_000)

  /** The rows of the view, in its order. */
  readonly rows = $derived.by((): Alarm[] => {
    const mine = (one: Alarm) =>
      one.rule.startsWith(this.rule) &&
      (!this.mine || one.assignee === session.me?.id) &&
      (!this.text || score(this.text, searched(one)) > 0)
    if (this.view === 'history') return (this.past.value?.items ?? []).filter(mine)
    const wanted = (this.current.value ?? []).filter((one) => aside(one) === (this.view === 'aside') && mine(one))
    return wanted.sort(order)
  })
  /** Of how many rows these are, and how many alarms those stand for. */
  readonly whole = $derived.by((): { rows: number; alarms: number } => {
    if (this.view === 'history') return { rows: this.past.value?.items.length ?? 0, alarms: 0 }
    const list = (this.current.all ?? []).filter((one) => aside(one) === (this.view === 'aside'))
    return { rows: list.length, alarms: list.reduce((n, one) => n + (one.kind === 'storm' ? one.members : 1), 0) }
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
    $effect(() => areas.all.start())
    $effect(() => {
      if (this.view !== 'history') return
      void [formatRange(range.value), this.priority, this.area, Boolean(this.text)]
      return this.past.start()
    })
  }

  /** Does something to an alarm and shows what became of it at once. Throws what the server says. */
  async act(id: number, what: string, body: unknown = {}): Promise<Alarm> {
    const alarm = await ask<Alarm>(`/api/alarms/${id}/${what}`, { method: 'POST', body })
    await this.again()
    return alarm
  }

  /** Shows what became of them. */
  async again(): Promise<void> {
    await Promise.all([this.current.now(), this.view === 'history' ? this.past.now() : undefined])
  }

  /** A rule at a Thing is told no more (`suppressed`, `out-of-service`), or is again (`in-service`). */
  async out(rule: string, thing: string, mode: Out['mode'] | 'in-service', comment: string): Promise<void> {
    await ask<Out[]>('/api/alarms/out', { method: 'PUT', body: { rule, thing, mode, comment } })
    await Promise.all([this.current.now(), this.outs.now()])
  }
}

export const alarms = new Alarms()
