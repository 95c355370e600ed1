import { expect, it } from 'vitest'
import { type Note, noteSpans, ordered } from './notes'

const note = (id: number, datastream: number | null, on: number[], starts: string, ends = starts): Note => ({
  id, datastream, area: datastream === null ? '19' : null, on, starts, ends, text: '', by: '', created: '', changed: '', editable: false,
}) // prettier-ignore

it('notes are numbered by time; one of an area is on every chart of it', () => {
  const all = ordered([
    note(3, 8, [8], '2026-01-03T00:00:00Z'),
    note(2, null, [7, 8], '2026-01-02T00:00:00Z'),
    note(1, 7, [7], '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'),
  ])
  expect(all.map((one) => one.id)).toEqual([1, 2, 3])
  expect(noteSpans(all, [9])).toEqual([])
  expect(noteSpans(all, [8]).map((one) => one.flag)).toEqual(['2', '3'])
  const [first] = noteSpans(all, [7])
  expect(first!.to - first!.from).toBe(3_600_000)
})
