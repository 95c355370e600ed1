/** The latest value of every Datastream that one may see: told by the live hub, or asked for where it tells nothing.
 *
 *    hub's mirror --\
 *                    book --> whoever draws (shown.svelte.ts holds it while time is held)
 *    /api/latest  --/
 */
import { type Page, ask } from './api'
import { type Book, Follower, bookOf } from './book'
import { type Latest, fromApi } from './convert'
import { hub } from './hub.svelte'
import { Poll, type Source } from './poll.svelte'
import type { Reading } from './types'

const MOST = 10_000

class Values implements Source<readonly Latest[]> {
  readonly #follower = new Follower()
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

  /** @param onthings is called when the hub tells of other Things. */
  start(onthings: () => void): void {
    hub.values.onchange = (changes) => {
      this.#follower.apply(hub.values.mirror!, changes)
      if (changes.things.length || (changes.all && this.#told)) onthings()
      this.#told = true
      this.#version++
    }
    $effect(() => {
      if (hub.values.missing) return this.#poll.start()
      this.#poll.forget()
    })
  }
}

export const values = new Values()
