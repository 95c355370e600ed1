/** The whole state of the page in its address: `#/charts?s=12,14&range=24h`. After the # nothing reaches a server's log. */

export const pages = ['overview', 'alarms', 'charts', 'devices', 'system', 'boards', 'services'] as const
export type PageName = (typeof pages)[number]

export interface Route {
  page: PageName
  /** What the page shows of its kind: a Thing's name, an alarm's id. */
  item: string | null
  options: Readonly<Record<string, string>>
}

/** Anything that is no address of ours is the overview. */
export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [first = '', ...rest] = path.split('/')
  const page = pages.find((one) => one === first) ?? 'overview'
  const item = rest.join('/')
  return {
    page,
    item: item && page === first ? decode(item) : null,
    options: Object.fromEntries(
      [...new URLSearchParams(query)]
        .map(([name, value]) => [name, name === 'kiosk' && value === '' ? '1' : value] as const)
        .filter(([, value]) => value !== ''),
    ),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // somebody typed a lone %
  }
}

/** The inverse of `parse`. Commas, colons and slashes are kept readable; options without a value are left out. */
export function format({ page, item = null, options = {} }: Partial<Route> & Pick<Route, 'page'>): string {
  const readable = (text: string) =>
    encodeURIComponent(text).replace(/%(2C|3A|2F|40)/g, (code) => decodeURIComponent(code))
  const query = Object.entries(options)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${readable(value)}`)
    .join('&')
  return `#/${page}${item ? `/${readable(item)}` : ''}${query ? `?${query}` : ''}`
}
