/** All panels there are: the folders of this one. Their definitions come with the page, their views when they are shown. */
import type { Component } from 'svelte'
import type { Panel, PanelProps } from './contract'

const definitions = import.meta.glob<Panel>('./*/panel.ts', { eager: true, import: 'default' })
const views = import.meta.glob<Component<PanelProps>>('./*/Panel.svelte', { import: 'default' })

export interface Known {
  name: string
  panel: Panel
  view: () => Promise<Component<PanelProps>>
}

/** By name, which is the folder's. */
export const panels: ReadonlyMap<string, Known> = new Map(
  Object.entries(definitions).map(([path, panel]) => {
    const name = path.split('/')[1]!
    return [name, { name, panel, view: views[`./${name}/Panel.svelte`]! }]
  }),
)
