/** The keyboard of the call: one table for what the keys do and for the list that `?` shows. */
import type { words } from '../words'

export type Action =
  'microphone' | 'camera' | 'audio' | 'share' | 'chat' | 'admit' | 'next' | 'freeze' | 'full' | 'leave' | 'help'

export const KEYS: readonly { key: string; action: Action; word: keyof typeof words }[] = [
  { key: 'm', action: 'microphone', word: 'microphone' },
  { key: 'v', action: 'camera', word: 'camera' },
  { key: 'a', action: 'audio', word: 'audioOnly' },
  { key: 's', action: 'share', word: 'share' },
  { key: 'c', action: 'chat', word: 'keyChat' },
  { key: 'y', action: 'admit', word: 'keyAdmit' },
  { key: 'n', action: 'next', word: 'keyNext' },
  { key: 'f', action: 'freeze', word: 'keyFreeze' },
  { key: 'z', action: 'full', word: 'keyFull' },
  { key: 'x', action: 'leave', word: 'leave' },
  { key: '?', action: 'help', word: 'keyHelp' },
]

/** Of a keyboard event; null while somebody types, or with a modifier (the browser's own shortcuts stay his). */
export function actionOf(event: {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  repeat: boolean
  target: unknown
}): Action | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null
  const target = event.target as { tagName?: string; isContentEditable?: boolean; type?: string } | null
  const types = target?.tagName === 'TEXTAREA' || target?.tagName === 'SELECT' || target?.isContentEditable
  if (types || (target?.tagName === 'INPUT' && target.type !== 'checkbox' && target.type !== 'radio')) return null
  return KEYS.find(({ key }) => key === event.key.toLowerCase())?.action ?? null
}
