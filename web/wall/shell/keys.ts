/** Which key does what, wherever it is not typing. Pure. */

export interface Command {
  name: 'palette' | 'help' | 'pause' | 'page'
  /** Of a page, from 0; else -1. */
  index: number
}

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'target'>

/** Whether keys go into what has the focus. */
export function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  if (!element?.tagName || (element as HTMLInputElement).type === 'checkbox') return false
  return ['INPUT', 'TEXTAREA', 'SELECT'].includes(element.tagName) || element.isContentEditable === true
}

export function command(event: Pressed): Command | null {
  const { key, ctrlKey, metaKey, altKey, target } = event
  if ((ctrlKey || metaKey) && key.toLowerCase() === 'k') return { name: 'palette', index: -1 }
  if (ctrlKey || metaKey || altKey || typing(target)) return null
  if (key === '/') return { name: 'palette', index: -1 }
  if (key === '?') return { name: 'help', index: -1 }
  if (key === 'p') return { name: 'pause', index: -1 }
  if (/^[1-9]$/.test(key)) return { name: 'page', index: Number(key) - 1 }
  return null
}

/** Where j and k lead in a list of `length` rows from row `at` (-1: none yet). */
export function step(key: string, at: number, length: number): number | null {
  if (length === 0) return null
  if (key === 'j' || key === 'ArrowDown') return Math.min(length - 1, at + 1)
  if (key === 'k' || key === 'ArrowUp') return Math.max(0, at - 1)
  if (key === 'Home') return 0
  if (key === 'End') return length - 1
  return null
}
