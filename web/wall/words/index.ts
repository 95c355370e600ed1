/** All words of the wall, as one typed dictionary. */
import { translator } from '$ui/dictionary'
import { look } from '$ui/look.svelte'
import { common } from '$ui/words'
import { alarmWords } from './alarms'
import { boardWords } from './boards'
import { chartWords } from './charts'
import { deviceWords } from './devices'
import { overviewWords } from './overview'
import { ruleWords } from './rules'
import { serviceWords } from './services'
import { shellWords } from './shell'
import { systemWords } from './system'

export const words = {
  ...common,
  ...shellWords,
  ...overviewWords,
  ...alarmWords,
  ...ruleWords,
  ...chartWords,
  ...boardWords,
  ...deviceWords,
  ...serviceWords,
  ...systemWords,
} as const

export const t = translator(words, () => look.language)

/** The label in the reader's language; the other one where it has only that. */
export function named(labels: Readonly<Record<string, string>> | undefined, otherwise: string): string {
  if (!labels) return otherwise
  return (look.language === 'vi' ? (labels.vi ?? labels.en) : (labels.en ?? labels.vi)) ?? otherwise
}
