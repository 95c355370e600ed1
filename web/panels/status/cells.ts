/** Devices as cells: what each is, in groups, what needs somebody first. Pure. */

export type Doing = 'live' | 'late' | 'never'

export interface Cell {
  thing: string
  label: string
  group: string
  doing: Doing
  /** The rank of its gravest open alarm, 1 to 4; 0: none. */
  alarm: number
}

export interface Group {
  name: string
  cells: Cell[]
  /** How many are live. */
  live: number
}

const order: Record<Doing, number> = { late: 0, never: 2, live: 1 }
const rank = (cell: Cell) => (cell.alarm ? cell.alarm : 10 + order[cell.doing])

/** Groups with the most trouble first, then by name; in each, alarmed ones first, then late ones. */
export function grouped(cells: readonly Cell[]): Group[] {
  const found = new Map<string, Cell[]>()
  for (const cell of cells) {
    const others = found.get(cell.group)
    if (others) others.push(cell)
    else found.set(cell.group, [cell])
  }
  return [...found]
    .map(([name, all]) => ({
      name,
      cells: all.sort((a, b) => rank(a) - rank(b) || a.label.localeCompare(b.label, 'vi')),
      live: all.filter((one) => one.doing === 'live').length,
    }))
    .sort((a, b) => rank(a.cells[0]!) - rank(b.cells[0]!) || a.name.localeCompare(b.name, 'vi'))
}

const GAP = 3 // px between cells
const HEAD = 20 // px of a group's name
const FOOT = 4 // px below a group

/** The largest side, px, between 6 and 26, at which all of them fit into the room; 6 where nothing does. */
export function side(
  groups: readonly { name: string; cells: readonly unknown[] }[],
  width: number,
  height: number,
): number {
  for (let px = 26; px > 6; px--) {
    const across = Math.max(1, Math.floor((width + GAP) / (px + GAP)))
    const high = groups.reduce(
      (sum, { name, cells }) => sum + (name ? HEAD : 0) + Math.ceil(cells.length / across) * (px + GAP) - GAP + FOOT,
      0,
    )
    if (high <= height) return px
  }
  return 6
}
