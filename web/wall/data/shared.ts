/** One question for all who look at the same address: a page and the panels of a service ask once together. */
import { ask } from './api'
import { Poll } from './poll.svelte'

const polls = new Map<string, Poll<unknown>>()

class Shared<T> extends Poll<T> {
  #users = 0

  constructor(
    readonly path: string,
    every: number,
  ) {
    super((signal) => ask<T>(path, { signal }), every)
  }

  override start(): () => void {
    this.#users++
    if (!polls.has(this.path)) polls.set(this.path, this)
    const end = super.start()
    return () => {
      end()
      if (--this.#users === 0 && polls.get(this.path) === this) polls.delete(this.path)
    }
  }
}

/** The poll of an address, asked every so many ms as its first user wants; forgotten when its last user ends. */
export function shared<T>(path: string, every: number): Poll<T> {
  let found = polls.get(path) as Poll<T> | undefined
  if (!found) {
    found = new Shared<T>(path, every)
    polls.set(path, found)
  }
  return found
}
