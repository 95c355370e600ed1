import Type from '@lucide/svelte/icons/type'
import { panel } from '../contract'

export default panel({
  label: ['Ghi chú', 'Text'],
  about: ['Chữ, gạch đầu dòng, đường dẫn', 'Words, lists, links'],
  icon: Type,
  size: { w: 3, h: 4 },
  least: { w: 2, h: 2 },
  settings: {
    text: {
      kind: 'text',
      value: '',
      most: 4000,
      lines: true,
      label: ['Nội dung', 'Text'],
      hint: ['# tiêu đề, - gạch đầu dòng, **đậm**, https://… thành đường dẫn', '# heading, - list, **bold**, https://… becomes a link'],
    },
    size: {
      kind: 'choice',
      value: 'normal',
      label: ['Cỡ chữ', 'Size'],
      options: [
        { value: 'normal', label: ['Thường', 'Normal'] },
        { value: 'large', label: ['Lớn', 'Large'] },
        { value: 'huge', label: ['Rất lớn', 'Very large'] },
      ],
    },
  },
}) // prettier-ignore
