import Bell from '@lucide/svelte/icons/bell'
import { panel } from '../contract'

export default panel({
  label: ['Danh sách cảnh báo', 'Alarm list'],
  about: ['Cảnh báo đang mở, chưa ai xem lên trước', 'Open alarms, unseen ones first'],
  icon: Bell,
  size: { w: 4, h: 6 },
  least: { w: 3, h: 3 },
  settings: {
    area: { kind: 'area', label: ['Địa bàn', 'Area'] },
    priority: {
      kind: 'choice',
      value: 'low',
      label: ['Từ mức', 'From priority'],
      options: [
        { value: 'low', label: ['Mọi mức', 'Any'] },
        { value: 'medium', label: ['Trung bình', 'Medium'] },
        { value: 'high', label: ['Cao', 'High'] },
        { value: 'critical', label: ['Nghiêm trọng', 'Critical'] },
      ],
    },
    unseen: { kind: 'switch', value: false, label: ['Chỉ cái chưa ai xác nhận', 'Only unacknowledged ones'] },
  },
})
