import Waves from '@lucide/svelte/icons/waves'
import { panel } from '../contract'

export default panel({
  label: ['Trạm thuỷ văn', 'River stations'],
  about: ['Mực nước, cường suất, báo động, nặng nhất trước', 'Level, rate of rise, alarm level, the gravest first'],
  icon: Waves,
  service: 'rivers',
  overview: { weight: 0.9 },
  size: { w: 4, h: 6 },
  least: { w: 3, h: 3 },
  settings: { most: { kind: 'number', value: 20, least: 1, most: 200, step: 1, label: ['Số dòng', 'Rows'] } },
})
