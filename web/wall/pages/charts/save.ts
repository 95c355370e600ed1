/** What is drawn as a file. */
import type { Series } from '../../data/types'

/** A name that a spreadsheet would take for a formula gets an apostrophe: names come from devices. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text
  return /[",\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** One row a value or bucket: RFC 4180, times in RFC 3339, a byte order mark so that a spreadsheet reads the marks right. */
export function csv(all: readonly Series[]): string {
  const rows = ['datastream,thing,property,unit,time,value,min,max,n,quality']
  for (const series of all) {
    const { id, thing, property, unit } = series.datastream
    const head = [id, quoted(thing), quoted(property), quoted(unit)].join(',')
    for (const one of series.buckets ?? [])
      rows.push(`${head},${one.time},${one.mean ?? ''},${one.min},${one.max},${one.n},`)
    if (!series.buckets)
      for (const one of series.items) rows.push(`${head},${one.time},${one.result ?? ''},,,1,${one.quality}`)
  }
  return `\uFEFF${rows.join('\r\n')}\r\n`
}

export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
