/** The city services that are offered here, asked for once for all pages. */
import { ask } from '../data/api'
import { Poll } from '../data/poll.svelte'
import { router } from '../shell/router.svelte'
import { type Load, byFolder, offered } from './discovery'
import type { CityService } from './types'

/** Each in a file of its own, loaded when it is looked at. */
export const pages = byFolder(import.meta.glob('../../services/*/Page.svelte') as Record<string, Load>)

class Services {
  readonly poll = new Poll<CityService[]>((signal) => ask('/api/domains', { signal }), 600_000)
  readonly offered = $derived(offered(this.poll.value ?? [], pages))
}

export const services = new Services()

export function servicePath(service: string, item: string | null = null): string {
  return item === null ? service : `${service}/${item}`
}

/** The address of something on a service's page. */
export function serviceLink(service: string, item: string | null = null, options: Record<string, string> = {}): string {
  return router.link({ page: 'services', item: servicePath(service, item), options })
}
