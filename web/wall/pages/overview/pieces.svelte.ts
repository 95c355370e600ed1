/** The panels of the city services that stand on the overview, and their frame: loaded after the page, together, so that
 *  nothing moves when one is there before another. */
import type { Component } from 'svelte'
import { type Piece, pieces } from './pieces'

interface FrameProps {
  panel: string
  title: string
  settings: Readonly<Record<string, unknown>>
}

export class Pieces {
  Frame = $state.raw<Component<FrameProps> | null>(null)
  #found = $state.raw<ReadonlyMap<string, Piece[]>>(pieces([]))

  constructor() {
    void Promise.all([import('../../../panels/Frame.svelte'), import('../../../panels/registry')]).then(
      ([frame, { panels }]) => {
        this.#found = pieces(panels.values())
        this.Frame = frame.default as Component<FrameProps>
      },
      () => undefined, // the page lives without; its tiles say each service in a line
    )
  }

  /** Of a service; those that want room only where there is a column of them. */
  of(service: string, roomy: boolean): Piece[] {
    return (this.#found.get(service) ?? []).filter((one) => roomy || !one.roomy)
  }
}
