/** What an alarm says, for lists and heads. */
import { look } from '$ui/look.svelte'
import { respelled } from '$ui/units'
import { type Alarm, brief } from '../data/alarms'
import { named } from '../words'

/** Without the name of its device, which stands beside it; units as people write them. */
export function headline(alarm: Alarm): string {
  return respelled(brief(named(alarm.message, alarm.rule), alarm.label), look.language)
}
