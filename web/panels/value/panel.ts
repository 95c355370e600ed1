import Hash from '@lucide/svelte/icons/hash'
import { panel } from '../contract'
import { folds, levels, source } from '../fields'

export default panel({
  label: ['Chỉ số', 'Value'],
  about: ['Một số, xu hướng, tuổi', 'One number, its trend, its age'],
  icon: Hash,
  size: { w: 3, h: 3 },
  least: { w: 2, h: 2 },
  settings: {
    ...source(1),
    fold: folds,
    levels,
    trend: { kind: 'switch', value: true, label: ['Vẽ xu hướng', 'Draw the trend'] },
  },
})
