/** Scenes that follow each other on a wall: `scenes=overview:30,boards/hom-nay:60`. Pure. */
import { type PageName, pages } from './route'

export interface Scene {
  page: PageName
  item: string | null
  seconds: number
}

export const SECONDS = 30
const [SHORTEST, LONGEST, MOST] = [5, 3600, 50]

/** What is no scene is left out. */
export function parseScenes(text: string): Scene[] {
  return text
    .split(',')
    .flatMap((one): Scene[] => {
      const [, path = '', seconds] = /^(.+?)(?::(\d{1,5}))?$/.exec(one.trim()) ?? []
      const [first = '', ...rest] = path.split('/')
      const page = pages.find((name) => name === first)
      if (!page) return []
      return [{ page, item: rest.join('/') || null, seconds: bounded(Number(seconds ?? SECONDS)) }]
    })
    .slice(0, MOST)
}

export function formatScenes(scenes: readonly Scene[]): string {
  return scenes.map(({ page, item, seconds }) => `${page}${item ? `/${item}` : ''}:${bounded(seconds)}`).join(',')
}

export function bounded(seconds: number): number {
  return Number.isFinite(seconds) ? Math.min(LONGEST, Math.max(SHORTEST, Math.round(seconds))) : SECONDS
}

/** Where everything stands in the n-th minute, px: a slow walk around the middle, so that no line burns in. */
export function drift(minute: number): { x: number; y: number } {
  const walk = [[0, 0], [3, 0], [3, 3], [0, 3], [-3, 3], [-3, 0], [-3, -3], [0, -3], [3, -3]] as const // prettier-ignore
  const [x, y] = walk[((minute % walk.length) + walk.length) % walk.length]!
  return { x, y }
}

/** The type of a wall is drawn for 1920 px: a wider screen shows the same, larger. */
export function enlarged(width: number): number {
  return Math.max(1, Math.round((width / 1920) * 100) / 100)
}
