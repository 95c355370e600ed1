/** A few marks of Markdown as data, so that no HTML of anybody's is ever put on a page. Pure. */

export interface Run {
  text: string
  bold: boolean
  /** An https address; null: plain words. */
  link: string | null
}

export interface Block {
  kind: 'heading' | 'item' | 'line'
  runs: Run[]
}

export function blocks(text: string): Block[] {
  return text.split('\n').map((line) => {
    const [, mark, rest] = /^(#{1,3}|[-*•])\s+(.*)$/.exec(line.trim()) ?? []
    if (mark === undefined) return { kind: 'line', runs: runs(line) }
    return { kind: mark.startsWith('#') ? 'heading' : 'item', runs: runs(rest ?? '') }
  })
}

/** `**bold**` and addresses; what is not closed stays as it was typed. */
export function runs(line: string): Run[] {
  const found: Run[] = []
  line.split(/\*\*(.+?)\*\*/).forEach((part, i) => {
    part.split(/(https:\/\/[^\s<>"')\]]+)/).forEach((text, k) => {
      if (text) found.push({ text, bold: i % 2 === 1, link: k % 2 === 1 ? text : null })
    })
  })
  return found
}
