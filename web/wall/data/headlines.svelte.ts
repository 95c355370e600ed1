/** What every city service says in one line, now. */
import { ask } from './api'
import { Poll } from './poll.svelte'
import { shown } from './shown.svelte'
import type { Headline } from './types'

class Headlines {
  readonly poll: Poll<Headline[]> = new Poll((signal) => ask<Headline[]>('/api/domains/now', { signal }), 15_000)
  /** Those of the moment that is shown; null: not known (yet), or of a moment that nobody saw. */
  readonly value = $derived(shown.past ? null : this.poll.value)

  /** Asks while the component that calls it is there; what stands on the screen stays while time is held. */
  follow(): void {
    $effect(() => (shown.at === null || this.poll.value === null ? this.poll.start() : undefined))
  }
}

export const headlines = new Headlines()
