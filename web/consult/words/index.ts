/** All words of the call page, as one typed dictionary. */
import { translator } from '$ui/dictionary'
import { look } from '$ui/look.svelte'
import { callWords } from './call'
import { checkWords } from './check'
import { stateWords } from './state'

export const words = { ...checkWords, ...callWords, ...stateWords } as const

export const t = translator(words, () => look.language)
