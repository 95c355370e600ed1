import Wind from '@lucide/svelte/icons/wind'
import { panel } from '../contract'

export default panel({
  label: ['Trạm không khí', 'Air stations'],
  about: ['Chỉ số VN_AQI giờ, xấu nhất trước', 'The VN_AQI of the hour, the worst first'],
  icon: Wind,
  service: 'air',
  overview: { weight: 1.1 },
  size: { w: 4, h: 6 },
  least: { w: 3, h: 3 },
  settings: { most: { kind: 'number', value: 20, least: 1, most: 200, step: 1, label: ['Số dòng', 'Rows'] } },
})
