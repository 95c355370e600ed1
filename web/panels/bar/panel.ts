import ChartBar from '@lucide/svelte/icons/chart-bar-big'
import { panel } from '../contract'
import { levels, source } from '../fields'

export default panel({
  label: ['Thanh so sánh', 'Bars'],
  about: ['So các trạm, cao nhất hoặc thấp nhất trước', 'Stations compared, highest or lowest first'],
  icon: ChartBar,
  size: { w: 4, h: 6 },
  least: { w: 2, h: 3 },
  settings: {
    ...source(40),
    count: { kind: 'number', value: 10, least: 1, most: 40, step: 1, label: ['Số thanh', 'How many'] },
    order: {
      kind: 'choice',
      value: 'highest',
      label: ['Thứ tự', 'Order'],
      options: [
        { value: 'highest', label: ['Cao nhất trước', 'Highest first'] },
        { value: 'lowest', label: ['Thấp nhất trước', 'Lowest first'] },
        { value: 'name', label: ['Theo tên', 'By name'] },
      ],
    },
    levels,
  },
})
