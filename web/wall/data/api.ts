/** Asking the server: JSON in and out, its problem details (RFC 9457) as errors, a time limit on everything. */

/** What the server says went wrong. `code` is stable; `detail` is its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title)
  }
}

/** No answer at all: the network, or the server is away. */
export class Away extends Error {}

const TIMEOUT = 15_000 // ms

export interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  signal?: AbortSignal | undefined
  /** Keeps a write that is sent twice from happening twice. */
  key?: string
  /** The version that was read: the write is refused (409) where there is a newer one. */
  version?: number
}

/** The JSON of one answer; undefined of one without a body. Throws Problem or Away; an abort by `signal` as it comes. */
export async function ask<T>(path: string, { method = 'GET', body, signal, key, version }: Asked = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (key !== undefined) headers['Idempotency-Key'] = key
  if (version !== undefined) headers['If-Match'] = `"${version}"`
  const limit = AbortSignal.timeout(TIMEOUT)
  const request: RequestInit = {
    method,
    headers,
    cache: 'no-store',
    credentials: 'same-origin',
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  }
  if (body !== undefined) request.body = JSON.stringify(body)
  let response: Response
  try {
    response = await fetch(path, request)
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Away(String(error))
  }
  if (!response.ok) throw await problem(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function problem(response: Response): Promise<Problem> {
  let said: { type?: string; title?: string; detail?: string } = {}
  try {
    said = (await response.json()) as typeof said
  } catch {
    // A proxy's own page: the status must do.
  }
  const code = said.type?.split('/').at(-1) ?? `http-${response.status}`
  return new Problem(response.status, code, said.title ?? response.statusText, said.detail ?? '')
}

/** Every page of a list, one after another; at most `most` items. */
export async function all<T>(path: string, most: number, signal?: AbortSignal): Promise<T[]> {
  const found: T[] = []
  let cursor: string | null = null
  do {
    const joint: string = path.includes('?') ? '&' : '?'
    const page: Page<T> = await ask<Page<T>>(cursor ? `${path}${joint}cursor=${encodeURIComponent(cursor)}` : path, {
      signal,
    })
    found.push(...page.items)
    cursor = page.next
  } while (cursor && found.length < most)
  return found
}

export interface Page<T> {
  items: T[]
  next: string | null
}
