import Route from '@lucide/svelte/icons/route'
import { panel } from '../contract'

export default panel({
  label: ['Tuyến đường', 'Corridors'],
  about: ['Thời gian đi hết tuyến so với lúc thông thoáng', 'Travel time beside that of a free road'],
  icon: Route,
  service: 'traffic',
  overview: { weight: 1 },
  size: { w: 4, h: 6 },
  least: { w: 3, h: 3 },
  settings: { most: { kind: 'number', value: 20, least: 1, most: 200, step: 1, label: ['Số dòng', 'Rows'] } },
})
