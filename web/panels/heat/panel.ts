import CalendarDays from '@lucide/svelte/icons/calendar-days'
import { panel } from '../contract'
import { folds, source } from '../fields'

export default panel({
  label: ['Bản đồ nhiệt giờ × ngày', 'Heat map, hour × day'],
  about: ['Giờ nào trong ngày cao, ngày nào khác thường', 'Which hours are high, which days unusual'],
  icon: CalendarDays,
  size: { w: 4, h: 6 },
  least: { w: 3, h: 4 },
  settings: {
    ...source(8),
    fold: { ...folds, value: 'mean' },
    days: { kind: 'number', value: 7, least: 2, most: 31, step: 1, label: ['Số ngày', 'Days'] },
  },
})
