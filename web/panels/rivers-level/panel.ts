import ChartSpline from '@lucide/svelte/icons/chart-spline'
import { panel } from '../contract'

export default panel({
  label: ['Mực nước và dự báo', 'River level and forecast'],
  about: ['Một trạm với các cấp báo động và 6 giờ tới', 'One station with its alarm levels and the next 6 hours'],
  icon: ChartSpline,
  service: 'rivers',
  overview: { weight: 1.5, roomy: true },
  size: { w: 6, h: 6 },
  least: { w: 3, h: 4 },
  settings: {
    things: {
      kind: 'things',
      most: 1,
      label: ['Trạm', 'Station'],
      hint: ['Không chọn: trạm gần cấp báo động nhất', 'None: the one that is nearest its alarm level'],
    },
    hours: { kind: 'number', value: 24, least: 1, most: 168, step: 1, label: ['Số giờ đã qua', 'Hours of the past'] },
  },
})
