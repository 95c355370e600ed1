/**
 * A rule as a form shows it, and as the API has it (docs/alarms.md). Pure. What the form does not know (a comparison, a
 * geofence, conditions within conditions, escalation) is kept as it is, so that nothing is lost between the two views.
 */

export type Json = Record<string, unknown>
export const OPS = ['>', '>=', '<', '<='] as const
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export const PRIORITIES = ['low', 'medium', 'high', 'critical'] as const
export const KINDS = ['threshold', 'rate', 'no-data', 'schedule'] as const
export type Kind = (typeof KINDS)[number]

/** One simple condition. Numbers are texts, as they are typed; `kept` has the fields that the form does not show. */
export interface Leaf {
  kind: Kind | 'other'
  property: string
  op: string
  value: string
  deadband: string
  per: string
  window: string
  after: string
  thing: string
  days: string[]
  start: string
  end: string
  kept: Json
}

export interface LevelForm {
  priority: string
  vi: string
  en: string
  hold: string
  join: 'all' | 'any'
  leaves: Leaf[]
  kept: Json
}

export interface RuleForm {
  id: string
  vi: string
  en: string
  enabled: boolean
  /** Empty everywhere: every Thing. */
  scope: { kind: string; area: string; thing: string }
  levels: LevelForm[]
  kept: Json
}

export function newLeaf(kind: Kind, property = ''): Leaf {
  return {
    kind, property: kind === 'no-data' && !property ? '*' : property, op: '>', value: '', deadband: '', per: '1h',
    window: '30m', after: '20m', thing: '', days: [...DAYS], start: '18:00', end: '06:00', kept: {},
  } // prettier-ignore
}

export function newLevel(priority = 'medium', property = ''): LevelForm {
  return { priority, vi: '', en: '', hold: '', join: 'all', leaves: [newLeaf('threshold', property)], kept: {} }
}

export function newRule(): RuleForm {
  const scope = { kind: '', area: '', thing: '' }
  return { id: '', vi: '', en: '', enabled: false, scope, levels: [newLevel()], kept: {} }
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value as string | number))
const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

function without(given: Json, ...names: string[]): Json {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)))
}

export function leafOf(given: unknown): Leaf {
  const one = object(given)
  const kind = KINDS.find((known) => known === one.type)
  const blank = newLeaf(kind ?? 'threshold')
  if (!kind) return { ...blank, kind: 'other', kept: one }
  const fields = [
    'type',
    'property',
    'op',
    'value',
    'deadband',
    'per',
    'window',
    'after',
    'thing',
    'days',
    'start',
    'end',
  ]
  return {
    ...blank,
    property: text(one.property) || (kind === 'no-data' ? '*' : ''),
    op: text(one.op) || '>',
    value: text(one.value),
    deadband: text(one.deadband),
    per: text(one.per) || '1h',
    window: text(one.window) || '30m',
    after: text(one.after) || '20m',
    thing: text(one.thing),
    days: Array.isArray(one.days) ? one.days.map(String) : [...DAYS],
    start: text(one.start) || '00:00',
    end: text(one.end) || '24:00',
    kept: without(one, ...fields),
  }
}

export function formOf(rule: Json): RuleForm {
  const scope = object(rule.scope)
  const levels = Array.isArray(rule.levels) ? rule.levels : []
  return {
    id: text(rule.id),
    vi: text(rule.vi),
    en: text(rule.en),
    enabled: rule.enabled !== false,
    scope: { kind: text(scope.kind), area: text(scope.area), thing: text(scope.thing) },
    levels: levels.map((given): LevelForm => {
      const level = object(given)
      const when = object(level.when)
      const joined = (when.type === 'all' || when.type === 'any') && Array.isArray(when.of)
      return {
        priority: text(level.priority) || 'medium',
        vi: text(level.vi),
        en: text(level.en),
        hold: text(level.for),
        join: when.type === 'any' ? 'any' : 'all',
        leaves: joined ? (when.of as unknown[]).map(leafOf) : [leafOf(when)],
        kept: without(level, 'priority', 'vi', 'en', 'for', 'when'),
      }
    }),
    kept: without(rule, 'id', 'vi', 'en', 'enabled', 'scope', 'levels'),
  }
}

/** A number as typed, with a comma or a point; what is none goes as it is, and the server says what is wrong with it. */
export function typed(given: string): number | string {
  const plain = given.trim().replace(/\s/g, '').replace(',', '.')
  const value = Number(plain)
  return plain !== '' && Number.isFinite(value) ? value : given.trim()
}

const some = (pairs: [string, string][]): Json => Object.fromEntries(pairs.filter(([, value]) => value.trim() !== ''))

export function ruleLeaf(leaf: Leaf): Json {
  const { kind, kept } = leaf
  if (kind === 'other') return kept
  const thing = some([['thing', leaf.thing]])
  const back = leaf.deadband.trim() === '' ? {} : { deadband: typed(leaf.deadband) }
  if (kind === 'schedule') return { type: kind, days: leaf.days, start: leaf.start, end: leaf.end, ...kept }
  if (kind === 'no-data') return { type: kind, property: leaf.property || '*', after: leaf.after, ...thing, ...kept }
  const compared = { type: kind, property: leaf.property, op: leaf.op, value: typed(leaf.value), ...back }
  return kind === 'rate'
    ? { ...compared, per: leaf.per, window: leaf.window, ...thing, ...kept }
    : { ...compared, ...thing, ...kept }
}

export function ruleOf(form: RuleForm): Json {
  const scope = some(Object.entries(form.scope))
  return {
    id: form.id.trim(),
    vi: form.vi.trim(),
    en: form.en.trim(),
    enabled: form.enabled,
    scope: Object.keys(scope).length ? scope : { all: true },
    levels: form.levels.map((level) => ({
      priority: level.priority,
      vi: level.vi,
      en: level.en,
      ...some([['for', level.hold]]),
      when:
        level.leaves.length === 1 ? ruleLeaf(level.leaves[0]!) : { type: level.join, of: level.leaves.map(ruleLeaf) },
      ...level.kept,
    })),
    ...form.kept,
  }
}

/** `PM2.5 cao ở Phổ Yên` as an id: `pm2-5-cao-o-pho-yen`. */
export function idOf(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/đ/gi, 'd')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
}

/** Which level a fault such as `$.levels[1].when.value: …` is about; null: the rule as a whole. */
export function faulty(said: string): { level: number; leaf: number | null } | null {
  const [, level, leaf] = /^\$\.levels\[(\d+)\](?:\.when(?:\.of\[(\d+)\])?)?/.exec(said) ?? []
  return level === undefined ? null : { level: Number(level), leaf: leaf === undefined ? null : Number(leaf) }
}

/** What a rule looks at with a number: for the chart it is tried on. */
export function thresholds(rule: Json): { property: string; thing: string; value: number; priority: string }[] {
  return formOf(rule).levels.flatMap((level) =>
    level.leaves
      .filter((leaf) => leaf.kind === 'threshold' && typeof typed(leaf.value) === 'number')
      .map(({ property, thing, value }) => ({
        property,
        thing,
        value: typed(value) as number,
        priority: level.priority,
      })),
  )
}

/** Every property that a rule names, in order, each once. */
export function propertiesOf(rule: Json): string[] {
  const found: string[] = []
  const walk = (given: unknown): void => {
    if (Array.isArray(given)) return given.forEach(walk)
    const one = object(given)
    if (typeof one.property === 'string' && one.property !== '*') found.push(one.property)
    for (const value of Object.values(one)) if (typeof value === 'object') walk(value)
  }
  walk(rule.levels)
  return [...new Set(found)]
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
