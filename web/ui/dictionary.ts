/** Words in two languages, Vietnamese first. A page declares one dictionary; a key or a parameter that does not exist
 *  does not compile. */

export type Language = 'vi' | 'en'
export const languages: readonly Language[] = ['vi', 'en']

/** One phrase: `[Vietnamese, English]`, parameters as `{name}`, words that go with a number as `{n|one|many}`. */
export type Phrase = readonly [vi: string, en: string]

type Before<S extends string> = S extends `${infer Name}|${string}` ? Name : S
type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Before<Name> | Names<Rest> : never
type Parameters<P extends Phrase> = Names<P[0] | P[1]>
type Rest<P extends Phrase> = [Parameters<P>] extends [never] ? [] : [values: Record<Parameters<P>, string | number>]

export type Dictionary = Readonly<Record<string, Phrase>>
export type Translate<D extends Dictionary> = <K extends keyof D>(key: K, ...rest: Rest<D[K]>) => string

/** Fill `{name}` from values; a name without a value stays visible, so that it is found. `{n|alarm|alarms}` is the first
 *  word for 1, the second for every other number. */
export function fill(phrase: string, values: Readonly<Record<string, string | number>>): string {
  return phrase.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return one === undefined ? String(value) : String(value) === '1' ? one : many!
  })
}

/** A typed lookup in `dictionary`. `language` is read at each call, so a rune behind it makes the text reactive. */
export function translator<const D extends Dictionary>(dictionary: D, language: () => Language): Translate<D> {
  return (key, ...rest) => {
    const phrase = dictionary[key] as Phrase
    const text = phrase[language() === 'vi' ? 0 : 1]
    const values = rest[0]
    return values === undefined ? text : fill(text, values)
  }
}
