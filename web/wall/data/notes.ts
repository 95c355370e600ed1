/** Notes on charts (docs/guides/wall.md), and how a chart shows them. Pure but for the asking. */
import type { Span } from '../parts/behind'
import { ask } from './api'

export interface Note {
  id: number
  datastream: number | null
  area: string | null
  /** Of the Datastreams asked for, those it is about. */
  on: number[]
  starts: string
  ends: string
  text: string
  by: string
  created: string
  changed: string
  editable: boolean
}

/** Those that touch [from, to), ms, of these Datastreams and the areas they stand in. */
export function notesOf(ids: readonly number[], from: number, to: number, signal?: AbortSignal): Promise<Note[]> {
  if (ids.length === 0) return Promise.resolve([])
  const which = ids.map((id) => `datastream=${id}`).join('&')
  const span = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`
  return ask<Note[]>(`/api/annotations?${which}&${span}`, { signal })
}

/** In the order of time: the n-th is flagged n. */
export function ordered(notes: readonly Note[]): Note[] {
  return [...notes].sort((a, b) => Date.parse(a.starts) - Date.parse(b.starts) || a.id - b.id)
}

/** The notes of a chart of these Datastreams as what stands behind its lines; `all` is ordered. */
export function noteSpans(all: readonly Note[], ids: readonly number[]): Span[] {
  return all.flatMap((note, i) =>
    !note.on.some((id) => ids.includes(id))
      ? []
      : [
          {
            from: Date.parse(note.starts),
            to: Date.parse(note.ends),
            tone: 'accent' as const,
            flag: String(i + 1),
            text: note.text,
          },
        ],
  )
}
