/**
 * A rule as a form shows it, and as the API has it (docs/alarms.md). Pure. What the form does not know (a field of a later
 * version) is kept as it is, so that nothing is lost between the two views.
 */
import { cornersOf, ringOf } from './fence'

export type Json = Record<string, unknown>
export const OPS = ['>', '>=', '<', '<='] as const
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export const PRIORITIES = ['low', 'medium', 'high', 'critical'] as const
export const KINDS = ['threshold', 'rate', 'compare', 'no-data', 'geofence', 'schedule'] as const
export const FENCES = ['inside', 'outside', 'enter', 'leave', 'stay'] as const
export type Kind = (typeof KINDS)[number]
export type Join = 'all' | 'any'
/** How deep groups may lie in groups (docs/alarms.md): so many of them. */
export const DEEPEST = 4

/** One condition: a simple one, or a group of them. Numbers are texts, as they are typed; `kept` has the fields that the
 *  form does not show. */
export interface Leaf {
  kind: Kind | 'group' | 'other'
  /** Of a group. */
  join: Join
  leaves: Leaf[]
  /** Of a comparison: the left side. */
  property: string
  op: string
  value: string
  deadband: string
  per: string
  window: string
  after: string
  thing: string
  /** The right side of a comparison, and how the two are compared. */
  property2: string
  thing2: string
  by: string
  /** A geofence: an area's code, or corners, one a line: latitude, longitude. `shape`: a polygon that is more than that. */
  on: string
  fence: 'area' | 'corners'
  area: string
  corners: string
  shape: Json | null
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
  /** At so many readings within so long. */
  times: string
  within: string
  join: Join
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
  /** good, any; empty: good. */
  quality: string
  late: string
  storm: { count: string; within: string }
  escalation: { after: string; to: string }[]
  advice_vi: string
  advice_en: string
  kept: Json
}

export function newLeaf(kind: Leaf['kind'], property = ''): Leaf {
  return {
    kind, property: kind === 'no-data' && !property ? '*' : property, op: '>', value: '', deadband: '', per: '1h',
    window: '30m', after: '20m', thing: '', property2: property, thing2: '', by: 'difference', on: 'outside', fence: 'area',
    area: '', corners: '', shape: null, days: [...DAYS], start: '18:00', end: '06:00', join: 'any', leaves: [], kept: {},
  } // prettier-ignore
}

/** Two conditions of which one is enough (or the other way round, where they stand in such a group). */
export function newGroup(outer: Join, property = ''): Leaf {
  const join = outer === 'all' ? 'any' : 'all'
  return { ...newLeaf('group'), join, leaves: [newLeaf('threshold', property), newLeaf('threshold', property)] }
}

export function newLevel(priority = 'medium', property = ''): LevelForm {
  const leaves = [newLeaf('threshold', property)]
  return { priority, vi: '', en: '', hold: '', times: '', within: '', join: 'all', leaves, kept: {} }
}

export function newRule(): RuleForm {
  return { ...formOf({}), enabled: false, levels: [newLevel()] }
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value as string | number))
const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

function without(given: Json, ...names: string[]): Json {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)))
}

export function leafOf(given: unknown): Leaf {
  const one = object(given)
  if ((one.type === 'all' || one.type === 'any') && Array.isArray(one.of))
    return { ...newLeaf('group'), join: one.type, leaves: one.of.map(leafOf), kept: without(one, 'type', 'of') }
  const kind = KINDS.find((known) => known === one.type)
  const blank = newLeaf(kind ?? 'threshold')
  if (!kind) return { ...blank, kind: 'other', kept: one }
  const fields = `type property op value deadband per window after thing days start end left right by on area polygon`
  const [left, right] = [object(one.left), object(one.right)]
  const corners = one.polygon === undefined ? '' : cornersOf(one.polygon)
  return {
    ...blank,
    property: text(kind === 'compare' ? left.property : one.property) || (kind === 'no-data' ? '*' : ''),
    property2: text(right.property),
    thing2: text(right.thing),
    by: text(one.by) || 'difference',
    on: text(one.on) || 'outside',
    fence: one.polygon === undefined ? 'area' : 'corners',
    area: text(one.area),
    corners: corners ?? '',
    shape: corners === null ? object(one.polygon) : null,
    op: text(one.op) || '>',
    value: text(one.value),
    deadband: text(one.deadband),
    per: text(one.per) || '1h',
    window: text(one.window) || '30m',
    after: text(one.after) || '20m',
    thing: text(kind === 'compare' ? left.thing : one.thing),
    days: Array.isArray(one.days) ? one.days.map(String) : [...DAYS],
    start: text(one.start) || '00:00',
    end: text(one.end) || '24:00',
    kept: without(one, ...fields.split(' ')),
  }
}

export function formOf(rule: Json): RuleForm {
  const scope = object(rule.scope)
  const storm = object(rule.storm)
  const steps = Array.isArray(rule.escalation) ? rule.escalation.map(object) : []
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
      const repeat = object(level.repeat)
      const joined = (when.type === 'all' || when.type === 'any') && Array.isArray(when.of)
      return {
        priority: text(level.priority) || 'medium',
        vi: text(level.vi),
        en: text(level.en),
        hold: text(level.for),
        times: text(repeat.times),
        within: text(repeat.within),
        join: when.type === 'any' ? 'any' : 'all',
        leaves: joined ? (when.of as unknown[]).map(leafOf) : [leafOf(when)],
        kept: without(level, 'priority', 'vi', 'en', 'for', 'when', 'repeat'),
      }
    }),
    quality: text(rule.quality),
    late: text(rule.late),
    storm: { count: text(storm.count), within: text(storm.within) },
    escalation: steps.map((step) => ({ after: text(step.after), to: text(step.to) })),
    advice_vi: text(rule.advice_vi),
    advice_en: text(rule.advice_en),
    kept: without(
      rule,
      ...'id vi en enabled scope levels quality late storm escalation advice_vi advice_en'.split(' '),
    ),
  }
}

/** A number as typed, with a comma or a point; what is none goes as it is, and the server says what is wrong with it. */
export function typed(given: string): number | string {
  const plain = given.trim().replace(/\s/g, '').replace(',', '.')
  const value = Number(plain)
  return plain !== '' && Number.isFinite(value) ? value : given.trim()
}

const numbered = (name: string, given: string): Json => (given.trim() ? { [name]: typed(given) } : {})
const some = (pairs: [string, string][]): Json => Object.fromEntries(pairs.filter(([, value]) => value.trim() !== ''))

export function ruleLeaf(leaf: Leaf): Json {
  const { kind, kept } = leaf
  if (kind === 'other') return kept
  if (kind === 'group') return { type: leaf.join, of: leaf.leaves.map(ruleLeaf), ...kept }
  const thing = some([['thing', leaf.thing]])
  const back = leaf.deadband.trim() === '' ? {} : { deadband: typed(leaf.deadband) }
  if (kind === 'schedule') return { type: kind, days: leaf.days, start: leaf.start, end: leaf.end, ...kept }
  if (kind === 'no-data') return { type: kind, property: leaf.property || '*', after: leaf.after, ...thing, ...kept }
  if (kind === 'geofence') {
    const where = leaf.fence === 'area' ? { area: leaf.area } : { polygon: leaf.shape ?? ringOf(leaf.corners) }
    return { type: kind, on: leaf.on, ...where, ...thing, ...kept }
  }
  if (kind === 'compare') {
    const left = { property: leaf.property, ...thing }
    const right = { property: leaf.property2, ...some([['thing', leaf.thing2]]) }
    return { type: kind, left, right, by: leaf.by, op: leaf.op, value: typed(leaf.value), ...back, ...kept }
  }
  const compared = { type: kind, property: leaf.property, op: leaf.op, value: typed(leaf.value), ...back }
  return kind === 'rate'
    ? { ...compared, per: leaf.per, window: leaf.window, ...thing, ...kept }
    : { ...compared, ...thing, ...kept }
}

export function ruleOf(form: RuleForm): Json {
  const scope = some(Object.entries(form.scope))
  const { quality, late, advice_vi, advice_en } = form
  const storm = { ...numbered('count', form.storm.count), ...some([['within', form.storm.within]]) }
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
      ...(level.times.trim() || level.within.trim()
        ? { repeat: { ...numbered('times', level.times), ...some([['within', level.within]]) } }
        : {}),
      when:
        level.leaves.length === 1 ? ruleLeaf(level.leaves[0]!) : { type: level.join, of: level.leaves.map(ruleLeaf) },
      ...level.kept,
    })),
    ...some(Object.entries({ quality, late, advice_vi, advice_en })),
    ...(Object.keys(storm).length ? { storm } : {}),
    ...(form.escalation.length ? { escalation: form.escalation.map(({ after, to }) => ({ after, to })) } : {}),
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

/** Which level, and which of its conditions, a fault such as `$.levels[1].when.of[2].value: …` is about: the places of the
 *  condition in its groups; null: the level itself. Null at all: the rule as a whole. */
export function faulty(said: string): { level: number; path: number[] | null } | null {
  const [, level, when, of] = /^\$\.levels\[(\d+)\](\.when((?:\.of\[\d+\])*))?/.exec(said) ?? []
  if (level === undefined) return null
  return { level: Number(level), path: when ? (of?.match(/\d+/g) ?? []).map(Number) : null }
}
