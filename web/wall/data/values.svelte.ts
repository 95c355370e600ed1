/** The latest value of every Datastream that one may see: told by the live hub, or asked for where it tells nothing.
 *
 *    hub's mirror --+--pace--> book --> whoever draws (shown.svelte.ts holds it while time is held)
 *    /api/latest  --|------------^
 *                   +--direct: each value in the moment it comes, for who draws thousands without a framework
 */
import { tick } from 'svelte'
import type { Stream, Thing } from '../../live/messages'
import type { Value } from '../../live/mirror'
import { type Page, ask } from './api'
import { type Book, Follower, bookOf } from './book'
import { type Latest, fromApi } from './convert'
import { hub } from './hub.svelte'
import { Pace } from './pace'
import { Poll, type Source } from './poll.svelte'
import type { Reading } from './types'

const MOST = 10_000

export type Direct = (thing: Thing, stream: Stream, value: Value) => void

class Values implements Source<readonly Latest[]> {
  readonly #follower = new Follower()
  readonly #direct = new Set<Direct>()
  readonly #changed = new Set<number>()
  readonly #pace = new Pace(() => this.#show())
  readonly #poll = new Poll<Book>(
    async (signal) => bookOf((await ask<Page<Reading>>(`/api/latest?limit=${MOST}`, { signal })).items.map(fromApi)),
    10_000,
  )
  #version = $state(0)
  #told = $state(false)

  /** What is known; null before the first answer. The same book all the while: read it anew for what it says now. */
  get book(): Book | null {
    void this.#version
    if (hub.values.missing && this.#poll.value) return this.#poll.value
    return this.#told ? this.#follower.book : null
  }

  get value(): readonly Latest[] | null {
    return this.book?.all ?? null
  }

  get trouble() {
    return hub.values.there ? null : this.#poll.trouble
  }

  now(): Promise<void> {
    return hub.values.missing ? this.#poll.now() : Promise.resolve()
  }

  /** Each value in the moment it comes. Returns what ends it. */
  direct(listener: Direct): () => void {
    this.#direct.add(listener)
    return () => this.#direct.delete(listener)
  }

  #tell(ids: Iterable<number>): void {
    if (this.#direct.size === 0) return
    for (const id of ids) {
      const known = this.#follower.known.get(id)
      const value = hub.values.mirror?.values.get(id)
      if (known && value) for (const one of this.#direct) one(known.thing, known.stream, value)
    }
  }

  #show(): Promise<void> {
    const mirror = hub.values.mirror
    if (mirror) this.#follower.take(mirror, this.#changed)
    this.#changed.clear()
    this.#version++
    return tick()
  }

  /** @param onthings is called when the hub tells of other Things. */
  start(onthings: () => void): void {
    hub.values.onchange = (changes) => {
      const mirror = hub.values.mirror!
      if (changes.all || changes.things.length) {
        this.#changed.clear()
        this.#follower.apply(mirror, changes)
        if (changes.things.length || this.#told) onthings()
        this.#told = true
      }
      for (const id of changes.streams) this.#changed.add(id)
      this.#tell(changes.streams)
      this.#pace.ask()
    }
    $effect(() => {
      if (hub.values.missing) return this.#poll.start()
      this.#poll.forget()
    })
  }
}

export const values = new Values()
