import Table from '@lucide/svelte/icons/table-2'
import { panel } from '../contract'
import { levels, source } from '../fields'

export default panel({
  label: ['Bảng', 'Table'],
  about: ['Trạm, số, tuổi; bấm cột để sắp', 'Stations, values, ages; sorted by a column'],
  icon: Table,
  size: { w: 6, h: 6 },
  least: { w: 3, h: 3 },
  settings: { ...source(100), levels },
})
