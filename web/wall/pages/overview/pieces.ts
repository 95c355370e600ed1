/** Which panels stand on the overview: those of a city service that say so. Pure. */

export interface Piece {
  /** Of the panel. */
  name: string
  /** Its share of the height, where the services have a column. */
  weight: number
  /** Only there. */
  roomy: boolean
}

interface Known {
  name: string
  panel: { service?: string; overview?: { weight: number; roomy?: boolean } }
}

/** Service -> its panels; those that want room first, then by name. */
export function pieces(panels: Iterable<Known>): Map<string, Piece[]> {
  const found = new Map<string, Piece[]>()
  for (const { name, panel } of panels) {
    if (!panel.service || !panel.overview) continue
    const { weight, roomy = false } = panel.overview
    found.set(panel.service, [...(found.get(panel.service) ?? []), { name, weight, roomy }])
  }
  for (const list of found.values())
    list.sort((a, b) => Number(b.roomy) - Number(a.roomy) || a.name.localeCompare(b.name))
  return found
}
