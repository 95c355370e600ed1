/** The latest value of every Datastream that one may see: told by the live hub, or asked for where it tells nothing.
 *
 *    hub's mirror  --\
 *                     Book (by Datastream, by Thing) --version--> whoever draws
 *    /api/latest   --/
 */
import type { Changes, Mirror } from '../../live/mirror'
import { type Latest, fromHub } from './convert'

/** Values by Datastream and by Thing. An entry that changes is another object, so comparing tells what is new. */
export class Book {
  readonly streams = new Map<number, Latest>()
  readonly things = new Map<string, Latest[]>()
  #all: Latest[] | null = null

  get all(): Latest[] {
    return (this.#all ??= [...this.streams.values()])
  }

  put(value: Latest): void {
    this.#all = null
    const before = this.streams.get(value.datastream)
    this.streams.set(value.datastream, value)
    const held = this.things.get(value.thing) ?? []
    if (before?.thing === value.thing)
      this.things.set(
        value.thing,
        held.map((one) => (one.datastream === value.datastream ? value : one)),
      )
    else {
      if (before) this.#leave(before)
      this.things.set(value.thing, [...held, value])
    }
  }

  remove(datastream: number): void {
    const before = this.streams.get(datastream)
    if (!before) return
    this.#all = null
    this.streams.delete(datastream)
    this.#leave(before)
  }

  clear(): void {
    this.#all = null
    this.streams.clear()
    this.things.clear()
  }

  copy(): Book {
    const made = new Book()
    for (const [id, value] of this.streams) made.streams.set(id, value)
    for (const [name, values] of this.things) made.things.set(name, values)
    return made
  }

  #leave(value: Latest): void {
    const rest = (this.things.get(value.thing) ?? []).filter((one) => one.datastream !== value.datastream)
    if (rest.length) this.things.set(value.thing, rest)
    else this.things.delete(value.thing)
  }
}

export function bookOf(values: readonly Latest[]): Book {
  const made = new Book()
  for (const value of values) made.put(value)
  return made
}

/** Keeps a book as the mirror of the hub says. */
export class Follower {
  readonly book = new Book()
  /** Whose each Datastream is. */
  readonly known = new Map<number, { thing: Parameters<typeof fromHub>[0]; stream: Parameters<typeof fromHub>[1] }>()

  apply(mirror: Mirror, changes: Changes): void {
    if (changes.all || changes.things.length) return this.#everything(mirror)
    this.take(mirror, changes.streams)
  }

  /** The values of these Datastreams alone, as they are now. */
  take(mirror: Mirror, streams: Iterable<number>): void {
    for (const id of streams) this.#one(mirror, id)
  }

  #everything(mirror: Mirror): void {
    this.book.clear()
    this.known.clear()
    for (const thing of mirror.things.values()) {
      for (const stream of thing.streams) {
        this.known.set(stream.id, { thing, stream })
        this.#one(mirror, stream.id)
      }
    }
  }

  #one(mirror: Mirror, id: number): void {
    const known = this.known.get(id)
    const value = mirror.values.get(id)
    if (known && value) this.book.put(fromHub(known.thing, known.stream, value))
    else this.book.remove(id)
  }
}
