/** A bare page over the live client, to look at a hub: what comes in, and how the link is. No framework, no state of its
 *  own; `?things=a,b` or `?domains=air` narrow it. */
import '$ui/base.css'
import './page.css'
import { hubUrl, LiveClient, type Phase } from './client'

const MOST = 200 // rows
const asked = new URLSearchParams(location.search)
const list = (name: string) => asked.get(name)?.split(',').filter(Boolean)
const element = (id: string) => document.getElementById(id)!

const client = new LiveClient({ url: hubUrl(location) })
const filter = Object.fromEntries(
  ['things', 'areas', 'properties', 'domains'].flatMap((name) => (list(name)?.length ? [[name, list(name)]] : [])),
)
const live = client.follow({ filter, rate: 4 })

const words: Record<Phase['name'], string> = {
  idle: '',
  connecting: 'Đang nối lại… · Connecting…',
  open: 'Đang nhận trực tiếp · Live',
  refused: 'Cần đăng nhập, hoặc không được xem · Sign in first, or you may not see this',
}
let trouble = ''

function sayLink(): void {
  const { phase } = client
  element('link').textContent =
    trouble ||
    (phase.name === 'open' && client.away
      ? 'Máy chủ không đọc được cơ sở dữ liệu · The database is away'
      : words[phase.name])
  element('link').dataset.phase = phase.name
}

function cell(text: string): HTMLTableCellElement {
  const made = document.createElement('td')
  made.textContent = text
  return made
}

const time = new Intl.DateTimeFormat('vi', { timeStyle: 'medium', timeZone: 'Asia/Ho_Chi_Minh' })

function draw(): void {
  const { things, values, alarms } = live.mirror
  element('counts').textContent =
    `${things.size} thiết bị, ${values.size} giá trị, ${alarms.size} cảnh báo · ` +
    `${things.size} Things, ${values.size} values, ${alarms.size} alarms`
  const rows: HTMLTableRowElement[] = []
  for (const thing of [...things.values()].sort((a, b) => a.name.localeCompare(b.name))) {
    for (const stream of thing.streams) {
      const value = values.get(stream.id)
      if (rows.length >= MOST) break
      const row = document.createElement('tr')
      row.dataset.stream = String(stream.id)
      const result =
        value && typeof value.result === 'object' ? JSON.stringify(value.result) : String(value?.result ?? '—')
      row.append(
        cell(thing.label || thing.name),
        cell(stream.property),
        cell(`${result} ${stream.unit}`),
        cell(value ? time.format(value.time / 1000) : '—'),
      )
      rows.push(row)
    }
  }
  element('rows').replaceChildren(...rows)
}

let due = false
live.on('change', () => {
  if (due) return
  due = true
  requestAnimationFrame(() => {
    due = false
    draw()
  })
})
live.on('error', (problem) => {
  trouble = problem.message
  sayLink()
})
client.on('phase', sayLink)
client.on('source', sayLink)
client.start()
sayLink()
