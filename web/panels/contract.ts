/** What a panel is: one folder of this one, found by itself (registry.ts). docs/guides/adding-a-panel.md. Pure. */
import type { Component, Snippet } from 'svelte'
import type { Phrase } from '$ui/dictionary'

interface Base {
  label: Phrase
  hint?: Phrase
}

/** One setting: what the form asks, and what it is before anybody chose. Fields of kind `streams` and `things` are
 *  called just that: the server reads them from a stored dashboard to decide who may open it. */
export type Field = Base &
  (
    | { kind: 'text'; value: string; most: number; lines?: boolean }
    | { kind: 'number'; value: number | null; least?: number; most?: number; step?: number }
    | { kind: 'choice'; value: string; options: readonly { value: string; label: Phrase }[] }
    | { kind: 'switch'; value: boolean }
    /** Datastreams, as `property@thing` (streams.ts). */
    | { kind: 'streams'; most: number }
    /** Things, by name. */
    | { kind: 'things'; most: number }
    /** A property's name; '' is none. */
    | { kind: 'property' }
    /** An area's code; '' is the whole province. */
    | { kind: 'area' }
    /** Bounds of a value, ascending. */
    | { kind: 'levels'; most: number }
  )

export type Schema = Readonly<Record<string, Field>>

type Value<F extends Field> = F extends { kind: 'text' | 'choice' | 'property' | 'area' }
  ? string
  : F extends { kind: 'number' }
    ? number | null
    : F extends { kind: 'switch' }
      ? boolean
      : F extends { kind: 'levels' }
        ? readonly number[]
        : readonly string[]

/** The values of a schema's fields. */
export type Settings<S extends Schema> = { readonly [K in keyof S]: Value<S[K]> }

/** Cells of the grid, which has 12 columns. */
export interface Size {
  w: number
  h: number
}

export const COLUMNS = 12
/** Rows that a panel may be high. */
export const HIGHEST = 40

/** The default export of a panel's `panel.ts`. The panel's name is its folder's. */
export interface Panel<S extends Schema = Schema> {
  label: Phrase
  /** What it is for, in one line. */
  about: Phrase
  icon: Component
  /** The city service that fills it: it is offered only where the server has that one. */
  service?: string
  /** It stands on the overview, for its service: its share of the height of a column of them; `roomy`: only in such a
   *  column. A setting `most` is there the number of rows. */
  overview?: { weight: number; roomy?: boolean }
  /** As it is added, and as small as it may become. */
  size: Size
  least: Size
  settings: S
}

/** What a panel says about what it shows, for its frame: head, age, hatch. */
export interface Told {
  /** Unless the person gave one. */
  title?: string
  /** More words, small, beside it: the unit, the place. */
  note?: string
  /** The time of the newest value shown, ms since 1970; null: it shows none; left out: its values have no age. */
  at?: number | null
  /** For how long that is new, ms; 15 minutes where it is left out. */
  period?: number
  /** Where a click on the title leads: an address of the wall. */
  link?: string
  /** Buttons at the right of the head; not while composing, not on a wall. The same snippet each time. */
  tools?: Snippet
}

/** The props of every `Panel.svelte`. `tell` is called in an effect, again whenever it changes. */
export interface PanelProps<S extends Schema = Schema> {
  settings: Settings<S>
  /** Of the room below the head, CSS px; 0 before it was measured. */
  width: number
  height: number
  tell: (told: Told) => void
}

/** Checks types, changes nothing. */
export function panel<const S extends Schema>(definition: Panel<S>): Panel<S> {
  return definition
}

/** What a field holds before anybody chose. */
export function usual(field: Field): string | number | boolean | null | readonly string[] | readonly number[] {
  if (field.kind === 'streams' || field.kind === 'things' || field.kind === 'levels') return []
  return field.kind === 'property' || field.kind === 'area' ? '' : field.value
}

/** Stored settings made to fit: what is missing or does not fit is as usual, what is not in the schema is left out. So a
 *  dashboard of an older version of a panel still opens. */
export function read<S extends Schema>(schema: S, stored: Readonly<Record<string, unknown>>): Settings<S> {
  const found = Object.entries(schema).map(([name, field]) => [name, fit(field, stored[name]) ?? usual(field)])
  return Object.fromEntries(found) as Settings<S>
}

const NAME = 512 // characters of a Datastream's or Thing's name

function fit(field: Field, value: unknown): ReturnType<typeof usual> | undefined {
  switch (field.kind) {
    case 'text':
      return typeof value === 'string' ? value.slice(0, field.most) : undefined
    case 'property':
    case 'area':
      return typeof value === 'string' ? value.slice(0, NAME) : undefined
    case 'choice':
      return field.options.find((one) => one.value === value)?.value
    case 'switch':
      return typeof value === 'boolean' ? value : undefined
    case 'number':
      if (value === null) return field.value === null ? null : undefined
      if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
      return Math.min(field.most ?? Infinity, Math.max(field.least ?? -Infinity, value))
    case 'streams':
    case 'things':
      if (!Array.isArray(value)) return undefined
      return [...new Set(value.filter((one): one is string => typeof one === 'string' && one.length <= NAME))].slice(0, field.most) // prettier-ignore
    case 'levels':
      if (!Array.isArray(value)) return undefined
      return value.filter((one): one is number => typeof one === 'number' && Number.isFinite(one)).sort((a, b) => a - b).slice(0, field.most) // prettier-ignore
  }
}
