/** What was written and is not yet confirmed by the server: sent again until its own line comes back, stored there once
 *  by its id. Kept over a reload. Full: the newest is refused, and the page says so; nothing is dropped silently. */
import { LONGEST } from '../messages'

export interface Draft {
  readonly id: string
  readonly text: string
  /** When it was written: ms since 1970. */
  readonly at: number
}

/** A small store of strings (sessionStorage in the page). */
export interface Store {
  get(key: string): string | null
  set(key: string, value: string | null): void
}

export const CAPACITY = 100
const KEY = 'outbox'

export class Outbox {
  #drafts: Draft[] = []

  constructor(private readonly store: Store) {
    try {
      const kept: unknown = JSON.parse(store.get(KEY) ?? '[]')
      if (Array.isArray(kept)) this.#drafts = kept.filter(isDraft).slice(0, CAPACITY)
    } catch {
      // Unreadable: it was never confirmed, and there is nothing to save.
    }
  }

  get waiting(): readonly Draft[] {
    return this.#drafts
  }

  /** The draft, or null when the text is empty or the box is full. Too long a text is cut by the page, never here. */
  add(id: string, text: string, at: number): Draft | null {
    if (text.trim() === '' || text.length > LONGEST['chat.text'] || this.#drafts.length >= CAPACITY) return null
    const draft = { id, text, at }
    this.#drafts = [...this.#drafts, draft]
    this.#keep()
    return draft
  }

  /** True when `id` was waiting. */
  confirm(id: string): boolean {
    const left = this.#drafts.filter((draft) => draft.id !== id)
    const known = left.length < this.#drafts.length
    if (known) {
      this.#drafts = left
      this.#keep()
    }
    return known
  }

  #keep(): void {
    this.store.set(KEY, this.#drafts.length > 0 ? JSON.stringify(this.#drafts) : null)
  }
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== 'object' || value === null) return false
  const { id, text, at } = value as Record<string, unknown>
  return typeof id === 'string' && typeof text === 'string' && typeof at === 'number'
}
