import MapIcon from '@lucide/svelte/icons/map'
import { panel } from '../contract'

export default panel({
  label: ['Bản đồ', 'Map'],
  about: ['Địa bàn tô theo đại lượng, thiết bị, cảnh báo', 'Areas by a property, devices, alarms'],
  icon: MapIcon,
  size: { w: 5, h: 10 },
  least: { w: 3, h: 5 },
  settings: {
    property: { kind: 'property', label: ['Tô theo đại lượng', 'Colour by'], hint: ['Để trống: tình trạng thiết bị', 'Empty: how the devices do'] }, // prettier-ignore
  },
})
