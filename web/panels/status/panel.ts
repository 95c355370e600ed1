import LayoutGrid from '@lucide/svelte/icons/layout-grid'
import { panel } from '../contract'

export default panel({
  label: ['Lưới tình trạng', 'Status grid'],
  about: ['Mỗi thiết bị một ô: đang gửi, trễ, có cảnh báo', 'A cell a device: live, late, alarmed'],
  icon: LayoutGrid,
  size: { w: 4, h: 5 },
  least: { w: 2, h: 3 },
  settings: {
    things: { kind: 'things', most: 500, label: ['Thiết bị', 'Devices'], hint: ['Để trống: mọi thiết bị', 'Empty: every device'] },
    area: { kind: 'area', label: ['Địa bàn', 'Area'] },
    by: {
      kind: 'choice',
      value: 'kind',
      label: ['Nhóm theo', 'Group by'],
      options: [
        { value: 'kind', label: ['Loại', 'Kind'] },
        { value: 'area', label: ['Địa bàn', 'Area'] },
        { value: 'none', label: ['Không nhóm', 'No groups'] },
      ],
    },
  },
}) // prettier-ignore
