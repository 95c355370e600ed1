/** That places are shown in short: one line each, with a small trend. Said by what surrounds them, for Ranks. */
import { getContext, setContext } from 'svelte'

const KEY = Symbol('few')

export interface Few {
  /** Only as many as there is room for: nothing scrolls. */
  readonly fit: boolean
}

export function few(how: Few): void {
  setContext(KEY, how)
}

export function fewness(): Few | undefined {
  return getContext<Few | undefined>(KEY)
}
