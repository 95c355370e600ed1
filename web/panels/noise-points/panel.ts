import Volume2 from '@lucide/svelte/icons/volume-2'
import { panel } from '../contract'

export default panel({
  label: ['Điểm đo tiếng ồn', 'Noise points'],
  about: ['Leq của giờ so với giới hạn, vượt nhiều nhất trước', 'Leq of the hour against its limit, the loudest first'],
  icon: Volume2,
  service: 'noise',
  overview: { weight: 1 },
  size: { w: 4, h: 6 },
  least: { w: 3, h: 3 },
  settings: { most: { kind: 'number', value: 20, least: 1, most: 200, step: 1, label: ['Số dòng', 'Rows'] } },
})
