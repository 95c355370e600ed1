import Gauge from '@lucide/svelte/icons/gauge'
import { panel } from '../contract'
import { folds, levels, source } from '../fields'

export default panel({
  label: ['Thang đo', 'Gauge'],
  about: ['Một số giữa hai đầu thang, có ngưỡng', 'One number between two ends, with levels'],
  icon: Gauge,
  size: { w: 3, h: 3 },
  least: { w: 2, h: 2 },
  settings: {
    ...source(1),
    fold: folds,
    low: { kind: 'number', value: null, label: ['Đầu thang', 'From'], hint: ['Để trống: tự đặt', 'Empty: by itself'] },
    high: { kind: 'number', value: null, label: ['Cuối thang', 'To'], hint: ['Để trống: tự đặt', 'Empty: by itself'] },
    levels,
  },
})
