/** The pages of city services: every folder of web/services with a Page.svelte is one. Nothing else names them. Pure. */
import type { CityService, ServicePage } from './types'

export type Load = () => Promise<{ default: ServicePage }>

/** Folder -> how its page is loaded, from the files that the build found. */
export function byFolder(files: Readonly<Record<string, Load>>): Map<string, Load> {
  return new Map(
    Object.entries(files)
      .map(([path, load]) => [path.split('/').at(-2) ?? '', load] as const)
      .filter(([name]) => name),
  )
}

/** The services that both the server and these pages know, in the server's order. */
export function offered(services: readonly CityService[], pages: ReadonlyMap<string, Load>): CityService[] {
  return services.filter((one) => pages.has(one.name))
}

/** `air/aq-01` is the service and what was picked on its page: names of Things may hold a slash. */
export function parts(item: string | null): { service: string; item: string | null } {
  const [service = '', ...rest] = (item ?? '').split('/')
  return { service, item: rest.join('/') || null }
}
