import ImageIcon from '@lucide/svelte/icons/image'
import { panel } from '../contract'

export default panel({
  label: ['Ảnh, camera', 'Image, camera'],
  about: ['Ảnh của máy chủ này, lấy lại theo giây', "A picture of this server's, fetched again"],
  icon: ImageIcon,
  size: { w: 4, h: 5 },
  least: { w: 2, h: 3 },
  settings: {
    address: {
      kind: 'text',
      value: '',
      most: 500,
      label: ['Địa chỉ', 'Address'],
      hint: ['Bắt đầu bằng /, ví dụ /camera/cau-gia-bay.jpg: qua máy chủ này', 'Begins with /, such as /camera/bridge.jpg: by way of this server'],
    },
    alt: { kind: 'text', value: '', most: 200, label: ['Ảnh chụp gì', 'What it shows'] },
    every: { kind: 'number', value: 10, least: 0, most: 86_400, step: 1, label: ['Lấy lại sau (giây; 0: không)', 'Fetch again after (s; 0: never)'] },
    fill: { kind: 'switch', value: false, label: ['Phủ kín ô', 'Fill the panel'] },
  },
}) // prettier-ignore
