/** Names of the people that alarms are given to. */
import { ask } from '../../data/api'
import { Poll } from '../../data/poll.svelte'
import { session } from '../../data/session.svelte'

/** Somebody an alarm can be given to. */
export interface Person {
  id: string
  name: string
}

/** Oneself first, also where only `self` tells of it; the others as they came. */
export function meFirst(people: readonly Person[], me: string | undefined, self?: Person): Person[] {
  return [...(self ? [self] : people.filter((one) => one.id === me)), ...people.filter((one) => one.id !== me)]
}

class People {
  /** Who has an alarm that stands. */
  readonly poll = new Poll<Person[]>((signal) => ask('/api/alarms/assigned', { signal }), 60_000)
  readonly #names = $derived(new Map((this.poll.value ?? []).map((one) => [one.id, one.name])))

  /** The name of `p:12`, as it was told with what speaks of them or is known; the id where nobody told it. */
  name(id: string, told = ''): string {
    return (id === session.me?.id ? session.me.name : told || this.#names.get(id)) || id
  }
}

export const people = new People()
