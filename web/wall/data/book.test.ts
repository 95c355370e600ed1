import { describe, expect, it } from 'vitest'
import type { Thing } from '../../live/messages'
import { Mirror } from '../../live/mirror'
import { Follower, bookOf } from './book'
import type { Latest } from './convert'

const thing = (id: number, ...streams: number[]): Thing => ({
  id, name: `t-${id}`, label: `T ${id}`, kind: 'air', area: null, location: null,
  streams: streams.map((stream) => ({ id: stream, property: 'pm2_5', unit: 'ug/m3' })),
}) // prettier-ignore

function world() {
  const mirror = new Mirror()
  const follower = new Follower()
  const take = (message: Parameters<Mirror['apply']>[0]) => follower.apply(mirror, mirror.apply(message)!)
  take({
    op: 'snapshot', id: 's', seq: '1', reason: 'subscribed', things: [thing(1, 10, 11), thing(2, 20)],
    values: [[10, 1_000_000, 1.5], [11, 2_000_000, 2.5]],
  }) // prettier-ignore
  return { mirror, book: follower.book, take }
}

const results = (values: readonly Latest[] | undefined) => values?.map((one) => one.result)

describe('the book of latest values', () => {
  it('has what the snapshot has, by Datastream and by Thing', () => {
    const { book } = world()
    expect(book.streams.get(10)).toMatchObject({ result: 1.5, at: 1000, thing: 't-1', label: 'T 1' })
    expect(results(book.things.get('t-1'))).toEqual([1.5, 2.5])
    expect(book.things.has('t-2')).toBe(false)
    expect(book.all).toHaveLength(2)
  })

  it('replaces what changes and leaves the rest the same object', () => {
    const { book, take } = world()
    const [ten, eleven, all] = [book.streams.get(10), book.streams.get(11), book.all]
    take({ op: 'events', id: 's', after: '1', seq: '2', values: [[10, 3_000_000, 9]] })
    expect(book.streams.get(10)).not.toBe(ten)
    expect(book.streams.get(11)).toBe(eleven)
    expect(book.all).not.toBe(all)
    expect(results(book.things.get('t-1'))).toEqual([9, 2.5])
  })

  it('forgets a value that went, and a Thing that is gone', () => {
    const { book, take } = world()
    take({ op: 'events', id: 's', after: '1', seq: '2', values: [[11]] })
    expect(results(book.things.get('t-1'))).toEqual([1.5])
    take({ op: 'events', id: 's', after: '2', seq: '3', gone: [1], things: [thing(3, 30)], values: [[30, 1, 7]] })
    expect([...book.things.keys()]).toEqual(['t-3'])
    expect(book.all.map((one) => one.datastream)).toEqual([30])
  })

  it('a copy stays as it was', () => {
    const { book, take } = world()
    const held = book.copy()
    take({ op: 'events', id: 's', after: '1', seq: '2', values: [[10, 3_000_000, 9]] })
    expect(held.streams.get(10)?.result).toBe(1.5)
    expect(results(held.things.get('t-1'))).toEqual([1.5, 2.5])
    expect(results(bookOf(book.all).things.get('t-1'))).toEqual([9, 2.5])
  })
})
