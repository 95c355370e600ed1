/** Who is shown where, and what the one next step is. Pure. */
import type { Flow, Person, Role } from '../messages'

export interface Tile {
  /** `seat` or `seat/screen`: as `receive.heights` names it. */
  key: string
  person: Person
  use: 'camera' | 'screen'
}

/** All pictures that could be shown: everybody else who is admitted, then shared screens. */
export function tiles(people: readonly Person[], me: string): Tile[] {
  const others = people.filter((person) => person.seat !== me && person.presence !== 'waiting')
  const cameras = others
    .filter((person) => person.role !== 'observer' || person.media.camera)
    .map((person): Tile => ({ key: person.seat, person, use: 'camera' }))
  const screens = others
    .filter((person) => person.media.screen)
    .map((person): Tile => ({ key: `${person.seat}/screen`, person, use: 'screen' }))
  return [...screens, ...cameras]
}

/** The other side comes first: for the hospital the station, for the station the doctor. */
const FIRST: Record<Role, readonly Role[]> = {
  station: ['doctor', 'specialist', 'interpreter', 'station', 'observer'],
  doctor: ['station', 'specialist', 'doctor', 'interpreter', 'observer'],
  specialist: ['station', 'doctor', 'specialist', 'interpreter', 'observer'],
  interpreter: ['doctor', 'station', 'specialist', 'interpreter', 'observer'],
  observer: ['station', 'doctor', 'specialist', 'interpreter', 'observer'],
}

/** The one shown large: what was chosen, else a shared screen, else the other side. It does not jump with every word. */
export function main(all: readonly Tile[], mine: Role, lead: string | null, chosen: string | null): Tile | null {
  const wanted = all.find((tile) => tile.key === chosen)
  if (wanted) return wanted
  const screen = all.find((tile) => tile.use === 'screen')
  if (screen) return screen
  const rank = ({ person }: Tile) =>
    (person.presence === 'away' ? 10 : 0) + FIRST[mine].indexOf(person.role) - (person.seat === lead ? 0.5 : 0)
  return [...all].sort((a, b) => rank(a) - rank(b))[0] ?? null
}

/** Why no picture is shown on a tile; null: it is shown. */
export type Blank = 'cut' | 'away' | 'camera-off' | 'link' | 'asked' | 'slots' | 'coming' | null

export function blank(
  tile: Tile,
  flow: Flow | undefined,
  hasTrack: boolean,
  audioOnly: boolean,
  /** Nothing comes here from anybody: the last picture stands still. */
  cut = false,
): Blank {
  if (cut && hasTrack) return 'cut'
  if (tile.person.presence === 'away') return 'away'
  if (tile.use === 'camera' && !tile.person.media.camera) return 'camera-off'
  if (audioOnly) return 'asked'
  if (flow?.state === 'paused') {
    if (flow.reason === 'link' || flow.reason === 'slots') return flow.reason
    // It was not shown a moment ago (a phone was turned), and nobody chose to go without.
    if (flow.reason === 'asked') return 'coming'
  }
  return hasTrack ? null : 'coming'
}

export type Step =
  'wait-doctor' | 'doctor-away' | 'microphone' | 'camera' | 'measure' | 'admit' | 'wait-station' | 'talk'

export interface Situation {
  role: Role
  people: readonly Person[]
  me: string
  lead: string | null
  microphone: boolean
  camera: boolean
  /** The camera is off because the link is weak or audio only was chosen: no reason to ask for it. */
  audioOnly: boolean
  vitals: boolean
}

/** The one next thing to do. */
export function nextStep(now: Situation): Step {
  const others = now.people.filter((person) => person.seat !== now.me)
  const hospital = others.filter((person) => person.role === 'doctor' || person.role === 'specialist')
  const here = (people: Person[]) => people.some((person) => person.presence === 'present')
  if (now.role === 'station') {
    if (!here(hospital)) return hospital.some((person) => person.presence === 'away') ? 'doctor-away' : 'wait-doctor'
    if (!now.microphone) return 'microphone'
    if (!now.camera && !now.audioOnly) return 'camera'
    return now.vitals ? 'talk' : 'measure'
  }
  if (now.lead === now.me && others.some((person) => person.presence === 'waiting')) return 'admit'
  if (!here(others.filter((person) => person.role === 'station'))) return 'wait-station'
  return now.microphone || now.role === 'observer' ? 'talk' : 'microphone'
}
