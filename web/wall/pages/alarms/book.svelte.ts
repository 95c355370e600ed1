/** The rules by id, for whoever names them; without the right to read them their ids do. */
import { look } from '$ui/look.svelte'
import type { Rule } from '../../data/alarms'
import { all } from '../../data/api'
import { Poll } from '../../data/poll.svelte'

class RuleBook {
  readonly poll = new Poll<Rule[]>((signal) => all('/api/alarm-rules?limit=500', 2000, signal), 300_000)
  readonly #titles = $derived(
    new Map((this.poll.value ?? []).map(({ id, rule }) => [id, String(rule[look.language] ?? rule.vi ?? id)])),
  )

  title(id: string): string {
    return this.#titles.get(id) ?? id
  }
}

export const book = new RuleBook()
