import ChartLine from '@lucide/svelte/icons/chart-line'
import { panel } from '../contract'
import { source } from '../fields'

export default panel({
  label: ['Đường thời gian', 'Time series'],
  about: ['Đến tám chuỗi, khoảng trống gạch chéo', 'Up to eight lines, gaps hatched'],
  icon: ChartLine,
  size: { w: 6, h: 6 },
  least: { w: 3, h: 4 },
  settings: {
    ...source(8),
    span: {
      kind: 'choice',
      value: '',
      label: ['Khoảng thời gian', 'Time range'],
      options: [
        { value: '', label: ['Theo trang', "The page's"] },
        { value: '1h', label: ['1 giờ', '1 h'] },
        { value: '6h', label: ['6 giờ', '6 h'] },
        { value: '24h', label: ['24 giờ', '24 h'] },
        { value: '7d', label: ['7 ngày', '7 d'] },
        { value: '30d', label: ['30 ngày', '30 d'] },
      ],
    },
    band: { kind: 'switch', value: false, label: ['Dải thấp nhất đến cao nhất', 'Band from lowest to highest'] },
    notes: { kind: 'switch', value: true, label: ['Ghi chú trên biểu đồ', 'Notes on the chart'] },
    zero: { kind: 'switch', value: false, label: ['Trục từ 0', 'Axis from 0'] },
  },
})
