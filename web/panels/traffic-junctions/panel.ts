import TrafficCone from '@lucide/svelte/icons/traffic-cone'
import { panel } from '../contract'

export default panel({
  label: ['Nút giao', 'Junctions'],
  about: ['Mức phục vụ và chu kỳ đèn nên đặt, kém nhất trước', 'Level of service and advised cycle, the worst first'],
  icon: TrafficCone,
  service: 'traffic',
  size: { w: 4, h: 6 },
  least: { w: 3, h: 3 },
  settings: { most: { kind: 'number', value: 10, least: 1, most: 50, step: 1, label: ['Số dòng', 'Rows'] } },
})
