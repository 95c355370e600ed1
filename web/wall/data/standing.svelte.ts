/** The alarms that stand: told by the live hub as they change, or asked for where it tells nothing. */
import type { AlarmChange, Alarm as Told } from '../../live/messages'
import type { Alarm } from './alarms'
import { all } from './api'
import { alarmFromHub, ungrouped } from './convert'
import { hub } from './hub.svelte'
import { Poll, type Source } from './poll.svelte'

const MOST = 1000

class Standing implements Source<Alarm[]> {
  readonly #poll = new Poll<Alarm[]>((signal) => all('/api/alarms?limit=500&grouped=false', MOST, signal), 3000)
  #told = $state.raw<Alarm[] | null>(null)
  readonly #made = new Map<number, { told: Told; alarm: Alarm }>()
  readonly #listeners = new Set<(change: AlarmChange) => void>()

  /** Every one, members of storms too; null before the first answer. */
  readonly every = $derived(hub.alarms.missing && this.#poll.value ? this.#poll.value : this.#told)
  /** As a list shows them: a storm's entry stands for its members. */
  readonly value = $derived(this.every && ungrouped(this.every))

  get trouble() {
    return hub.alarms.there ? null : this.#poll.trouble
  }

  /** What an act of one's own has changed is told by the hub at once; asked for where there is none. */
  now(): Promise<void> {
    return hub.alarms.there ? Promise.resolve() : this.#poll.now()
  }

  /** Calls `then` for every change that the hub tells; returns what ends it: for `$effect(() => standing.on(…))`. */
  on(then: (change: AlarmChange) => void): () => void {
    this.#listeners.add(then)
    return () => this.#listeners.delete(then)
  }

  start(): void {
    hub.alarms.onchange = (changes) => {
      this.#told = this.#converted([...hub.alarms.mirror!.alarms.values()])
      for (const change of changes.alarms) this.#listeners.forEach((then) => then(change))
    }
    $effect(() => {
      if (hub.alarms.missing) return this.#poll.start()
      this.#poll.forget()
    })
  }

  /** One that has not changed stays the same object. */
  #converted(told: Told[]): Alarm[] {
    const made = told.map((one) => {
      const before = this.#made.get(one.id)
      return before?.told === one ? before : { told: one, alarm: alarmFromHub(one) }
    })
    this.#made.clear()
    for (const one of made) this.#made.set(one.alarm.id, one)
    return made.map((one) => one.alarm)
  }
}

export const standing = new Standing()
