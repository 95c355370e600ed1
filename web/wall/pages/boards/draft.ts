/** What somebody is composing: a definition, and the way back and forth. Pure but for the browser's own store. */
import type { Definition } from './store'

export interface Draft {
  /** The version it began from; 0: a new dashboard. */
  version: number
  past: readonly Definition[]
  now: Definition
  future: readonly Definition[]
}

const STEPS = 100

export function begin(definition: Definition, version: number): Draft {
  return { version, past: [], now: definition, future: [] }
}

/** One step further. What changes nothing is no step; steps with the same `same` in a row are one (typing, dragging). */
export function step(draft: Draft, next: Definition, same = false): Draft {
  if (JSON.stringify(next) === JSON.stringify(draft.now)) return draft
  const past = same && draft.past.length ? draft.past : [...draft.past, draft.now].slice(-STEPS)
  return { ...draft, past, now: next, future: [] }
}

export function undo(draft: Draft): Draft {
  const before = draft.past.at(-1)
  if (!before) return draft
  return { ...draft, past: draft.past.slice(0, -1), now: before, future: [draft.now, ...draft.future] }
}

export function redo(draft: Draft): Draft {
  const [after, ...future] = draft.future
  if (!after) return draft
  return { ...draft, past: [...draft.past, draft.now], now: after, future }
}

/** An id that no panel of the dashboard has. */
export function fresh(definition: Definition, panel: string): string {
  const taken = new Set(definition.panels.map((one) => one.id))
  for (let n = definition.panels.length + 1; ; n++) {
    const id = `${panel.slice(0, 30)}-${n}`
    if (!taken.has(id)) return id
  }
}

const key = (id: string) => `tram.board.${id}`

interface Kept {
  version: number
  definition: Definition
}

/** A draft that was not saved survives a closed tab; null where nothing may be kept, or nothing was. */
export function kept(id: string): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(key(id)) ?? 'null') as Kept | null
    return found && Array.isArray(found.definition?.panels) && found.definition.labels ? found : null
  } catch {
    return null
  }
}

export function keep(id: string, draft: Draft): void {
  try {
    localStorage.setItem(key(id), JSON.stringify({ version: draft.version, definition: draft.now } satisfies Kept))
  } catch {
    // Storage may be full or forbidden: the draft then lasts for this page only.
  }
}

export function forget(id: string): void {
  try {
    localStorage.removeItem(key(id))
  } catch {
    // Nothing was kept there.
  }
}
