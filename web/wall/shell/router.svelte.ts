/** Where we are, reactive; and going elsewhere. */
import { type Route, format, parse } from './route'

class Router {
  route = $state.raw<Route>(parse(location.hash))

  constructor() {
    addEventListener('hashchange', () => {
      this.route = parse(location.hash)
    })
  }

  option(name: string): string {
    return this.route.options[name] ?? ''
  }

  /** Another page, or another item of this one: a step that Back undoes. The time range goes along. */
  go(route: Partial<Route> & Pick<Route, 'page'>): void {
    location.hash = this.link(route)
  }

  /** The same without a step of its own: scenes that follow each other leave no trail. */
  replace(route: Partial<Route> & Pick<Route, 'page'>): void {
    history.replaceState(null, '', this.link(route))
    this.route = parse(location.hash)
  }

  link(route: Partial<Route> & Pick<Route, 'page'>): string {
    const { range = '' } = this.route.options
    return format({ ...route, options: { range, ...route.options } })
  }

  /** The same page shown otherwise: no step of its own unless `step`. An empty value takes the option away. */
  set(options: Record<string, string>, step = false): void {
    const to = format({ ...this.route, options: { ...this.route.options, ...options } })
    if (to === location.hash) return
    history[step ? 'pushState' : 'replaceState'](null, '', to)
    this.route = parse(to)
  }
}

export const router = new Router()
