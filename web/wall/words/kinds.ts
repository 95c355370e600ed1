/** Names of the kinds of devices that this house makes or seeds; anybody else's kind is shown as it calls itself. */
import type { Language, Phrase } from '$ui/dictionary'

export const kinds: Readonly<Record<string, Phrase>> = {
  air: ['Cảm biến không khí', 'Air sensors'],
  station: ['Trạm quan trắc không khí', 'Air monitoring stations'],
  rain: ['Trạm đo mưa', 'Rain gauges'],
  river: ['Trạm thủy văn', 'River stations'],
  loop: ['Vòng từ giao thông', 'Traffic loops'],
  road: ['Điểm đếm xe', 'Traffic counters'],
  corridor: ['Hành lang giao thông', 'Traffic corridors'],
  junction: ['Nút giao', 'Junctions'],
  noise: ['Điểm đo tiếng ồn', 'Noise monitors'],
  clinic: ['Trạm y tế', 'Health stations'],
  tea: ['Vườn chè', 'Tea gardens'],
  area: ['Địa bàn', 'Areas'],
  meter: ['Công tơ điện', 'Electricity meters'],
}

/** The kind in words; a kind that nobody here named, as it is. */
export function kindName(kind: string, language: Language): string {
  return kinds[kind]?.[language === 'vi' ? 0 : 1] ?? kind
}
