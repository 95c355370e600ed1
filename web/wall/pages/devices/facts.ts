/** What is known of a device beyond its name and place, as its owner wrote it: known names get words, the rest stays. Pure. */

const NAMES = {
  commune: 'prop_commune',
  simulated: 'prop_simulated',
  schematic: 'prop_schematic',
  river: 'prop_river',
  period_seconds: 'prop_period',
  record_level: 'prop_record',
  alarm_levels: 'prop_levels',
  alarm_levels_verified: 'prop_verified',
  rain_interval_minutes: 'prop_rain',
} as const
const UNITS: Readonly<Record<string, string>> = { period_seconds: 's', record_level: 'm', alarm_levels: 'm', rain_interval_minutes: 'min' } // prettier-ignore
export type FactWord = (typeof NAMES)[keyof typeof NAMES] | 'prop_yes' | 'prop_no'

/** Its name and value, for people.
 *  @param say the words of a key; `number`: as numbers are written here; `unit`: of a code. */
export function fact(
  key: string,
  value: unknown,
  say: (word: FactWord) => string,
  number: (n: number) => string,
  unit: (code: string) => string,
): readonly [string, string] {
  const known = Object.hasOwn(NAMES, key) ? NAMES[key as keyof typeof NAMES] : null
  const code = UNITS[key]
  const one = (part: unknown): string =>
    typeof part === 'boolean'
      ? say(part ? 'prop_yes' : 'prop_no')
      : typeof part === 'number'
        ? number(part)
        : typeof part === 'string'
          ? part
          : JSON.stringify(part)
  const flat = Array.isArray(value) && value.every((part) => typeof part !== 'object')
  const text = flat ? value.map(one).join(' · ') : one(value)
  return [known ? say(known) : key, code && known ? `${text} ${unit(code)}` : text]
}
