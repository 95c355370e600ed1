/** What a rule looks at: for the charts and the map it is tried on. Pure. */
import { type Json, type Leaf, formOf, typed } from './rule'

/** Every simple condition of a rule, with the priority of its level. */
function leaves(rule: Json): { leaf: Leaf; priority: string; vi: string; en: string }[] {
  const simple = (leaf: Leaf): Leaf[] => (leaf.kind === 'group' ? leaf.leaves.flatMap(simple) : [leaf])
  return formOf(rule).levels.flatMap((level) =>
    level.leaves.flatMap(simple).map((leaf) => ({ leaf, priority: level.priority, vi: level.vi, en: level.en })),
  )
}

/** A property, of the Thing that is judged ('') or of another one by name. */
export interface Input {
  property: string
  thing: string
}

/** A level that a property is compared with, and what it is called. */
export interface Threshold extends Input {
  value: number
  op: string
  priority: string
  vi: string
  en: string
}

/** How far beyond its level a value is, in its unit: negative while it is not there. */
export function beyond(value: number, level: Pick<Threshold, 'op' | 'value'>): number {
  return level.op.startsWith('<') ? level.value - value : value - level.value
}

/** The levels that it compares a property with. */
export function thresholds(rule: Json): Threshold[] {
  return leaves(rule).flatMap(({ leaf, priority, vi, en }) => {
    const value = typed(leaf.value)
    return leaf.kind === 'threshold' && typeof value === 'number'
      ? [{ property: leaf.property, thing: leaf.thing, value, op: leaf.op, priority, vi, en }]
      : []
  })
}

/** What it reads, in order, each once: not positions, and not "anything that comes". */
export function inputs(rule: Json): Input[] {
  const found = leaves(rule).flatMap(({ leaf }): Input[] => {
    const { kind, property, thing } = leaf
    if (kind === 'compare') return [{ property, thing }, { property: leaf.property2, thing: leaf.thing2 }] // prettier-ignore
    return kind === 'threshold' || kind === 'rate' || kind === 'no-data' ? [{ property, thing }] : []
  })
  const real = found.filter((one) => one.property !== '' && one.property !== '*')
  return [...new Map(real.map((one) => [JSON.stringify(one), one])).values()]
}

/** Two Datastreams against each other, and the levels of what comes of it. */
export interface Comparison {
  left: Input
  right: Input
  by: string
  limits: { value: number; priority: string }[]
}

export function comparisons(rule: Json): Comparison[] {
  const found = new Map<string, Comparison>()
  for (const { leaf, priority } of leaves(rule)) {
    if (leaf.kind !== 'compare') continue
    const left = { property: leaf.property, thing: leaf.thing }
    const right = { property: leaf.property2, thing: leaf.thing2 }
    const key = JSON.stringify([left, right, leaf.by])
    const one = found.get(key) ?? { left, right, by: leaf.by, limits: [] }
    const value = typed(leaf.value)
    if (typeof value === 'number') one.limits.push({ value, priority })
    found.set(key, one)
  }
  return [...found.values()]
}

/** left − right, or left ÷ right, as the engine has it: a value holds until the next one. Times ascend; a division by zero
 *  changes nothing. */
export function compared(
  left: { times: readonly number[]; values: readonly (number | null)[] },
  right: { times: readonly number[]; values: readonly (number | null)[] },
  by: string,
): { times: number[]; values: (number | null)[] } {
  const held = (of: typeof left) => {
    let next = 0
    let value: number | null = null
    return (at: number) => {
      while (next < of.times.length && of.times[next]! <= at) value = of.values[next++] ?? null
      return value
    }
  }
  const [first, second] = [held(left), held(right)]
  const times = [...new Set([...left.times, ...right.times])].sort((a, b) => a - b)
  const values = times.map((at) => {
    const [a, b] = [first(at), second(at)]
    if (a === null || b === null || (by === 'ratio' && b === 0)) return null
    return by === 'ratio' ? a / b : a - b
  })
  return { times, values }
}

/** The geofences: whose position, and the area or the polygon. */
export function fences(rule: Json): { thing: string; area: string; polygon: unknown; priority: string }[] {
  const found: { thing: string; area: string; polygon: unknown; priority: string }[] = []
  const walk = (given: unknown, priority: string): void => {
    if (Array.isArray(given)) return given.forEach((one) => walk(one, priority))
    if (typeof given !== 'object' || given === null) return
    const { type, of, thing, area, polygon } = given as Json
    const text = (value: unknown) => (typeof value === 'string' ? value : '')
    if (type === 'geofence') found.push({ thing: text(thing), area: text(area), polygon, priority })
    walk(of, priority)
  }
  for (const level of Array.isArray(rule.levels) ? (rule.levels as Json[]) : [])
    walk(level?.when, typeof level?.priority === 'string' ? level.priority : 'medium')
  return found
}

/** Who fired how often, the most first. */
export function counted(
  fired: readonly { thing: string; label: string }[],
): { thing: string; label: string; n: number }[] {
  const times = new Map<string, { thing: string; label: string; n: number }>()
  for (const { thing, label } of fired) {
    const known = times.get(thing)
    if (known) known.n += 1
    else times.set(thing, { thing, label: label || thing, n: 1 })
  }
  return [...times.values()].sort((a, b) => b.n - a.n)
}
