/** What a process says of itself (its heartbeat's `detail`), as people read it. Pure. */

/** The key of the words for a number, with {n}. */
const NUMBERS = {
  held: 'pd_held',
  generation: 'pd_generation',
  stored: 'pd_stored',
  dead_letters: 'pd_deadLetters',
  rules: 'pd_rules',
  faulty: 'pd_faulty',
  viewers: 'pd_viewers',
  views: 'pd_views',
  behind: 'pd_behind',
  consults: 'pd_consults',
  sockets: 'pd_sockets',
  things: 'pd_things',
  datastreams: 'pd_datastreams',
  published: 'pd_published',
  waiting: 'pd_waiting',
  dropped: 'pd_dropped',
} as const
/** How a reason begins (gateway/mqtt.py, tram/store/database.py, telehealth/app.py), and its words; what follows is the
 *  driver's or the system's own, and stays as it is. */
const REASONS = [
  ['starting', 'pd_starting'],
  ['the database is not available', 'pd_noDatabase'],
  ['no database connection is free', 'pd_databaseBusy'],
  ['the database is read-only', 'pd_databaseReadOnly'],
  ['the tables are missing', 'pd_noTables'],
  ['not connected to the broker yet', 'pd_brokerYet'],
  ['subscribing', 'pd_brokerYet'],
  ['the broker cannot be reached', 'pd_brokerAway'],
  ['the connection to the broker ended', 'pd_brokerEnded'],
  ['the broker refuses', 'pd_brokerRefuses'],
] as const
const ROLES = { leader: 'pd_leader', standby: 'pd_standby' } as const
export type DetailWord = (typeof NUMBERS)[keyof typeof NUMBERS] | (typeof ROLES)[keyof typeof ROLES] | (typeof REASONS)[number][1] | 'pd_tended' | 'pd_scenarios' | 'pd_failing' // prettier-ignore
/** Says a word, with what stands in its braces. */
export type Say = (word: DetailWord, values: Record<string, string>) => string

/** Why something cannot work, in words where it is one of those we say ourselves. */
export function reason(text: string, say: Say): string | null {
  const known = REASONS.find(([begin]) => text.startsWith(begin))
  if (!known) return null
  const rest = text.slice(known[0].length).replace(/^[\s:]+/, '')
  return rest ? `${say(known[1], {})} (${rest})` : say(known[1], {})
}

/** Faults first, then the rest in its order; what is unknown is said by its own name rather than left out. */
export function detailed(detail: Record<string, unknown>, say: Say, count: (n: number) => string): string[] {
  const bad: string[] = []
  const good: string[] = []
  let tended = 0
  for (const [key, value] of Object.entries(detail)) {
    const number = NUMBERS[key as keyof typeof NUMBERS]
    if (key === 'reasons' || key === 'failing') {
      const told = Object.entries((value ?? {}) as Record<string, unknown>).map(
        ([name, text]) => [name, reason(String(text), say), String(text)] as const,
      )
      // Of ours, the words name what is missing.
      bad.push(
        ...told.map(([name, words, text]) =>
          key === 'failing'
            ? say('pd_failing', { what: `${name}: ${words ?? text}` })
            : words && text !== 'starting'
              ? words
              : `${name}: ${words ?? text}`,
        ),
      )
    } else if (key.startsWith('removed_') && typeof value === 'number') tended += value
    else if (key === 'role' && (value === 'leader' || value === 'standby')) good.push(say(ROLES[value], {}))
    else if (key === 'scenarios' && Array.isArray(value)) {
      if (value.length) good.push(say('pd_scenarios', { what: value.join(', ') }))
    } else if (number && typeof value === 'number') good.push(say(number, { n: count(value) }))
    else
      good.push(
        `${key.replaceAll('_', ' ')}: ${typeof value === 'number' ? count(value) : typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
  }
  if (tended) good.push(say('pd_tended', { n: count(tended) }))
  return [...bad, ...good]
}
