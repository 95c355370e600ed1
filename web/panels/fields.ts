/** Settings that several panels share. */
import type { Field } from './contract'

/** Where values come from (streams.ts, `chosen`): chosen Datastreams, or every one of a property. */
export function source(most: number) {
  return {
    streams: { kind: 'streams', most, label: ['Chuỗi số liệu', 'Datastreams'], hint: ['Để trống để lấy mọi trạm của một đại lượng', 'Leave empty to take every station of a property'] },
    property: { kind: 'property', label: ['Đại lượng', 'Property'] },
    area: { kind: 'area', label: ['Địa bàn', 'Area'] },
  } as const satisfies Record<string, Field>
} // prettier-ignore

export const folds = {
  kind: 'choice',
  value: 'highest',
  label: ['Khi có nhiều trạm', 'Of several stations'],
  options: [
    { value: 'highest', label: ['Cao nhất', 'The highest'] },
    { value: 'lowest', label: ['Thấp nhất', 'The lowest'] },
    { value: 'middle', label: ['Trung vị', 'The median'] },
    { value: 'mean', label: ['Trung bình', 'The mean'] },
    { value: 'sum', label: ['Tổng', 'The sum'] },
  ],
} as const satisfies Field

export const levels = {
  kind: 'levels',
  most: 3,
  label: ['Ngưỡng', 'Levels'],
  hint: ['Từ thấp đến cao; số được tô khi vượt', 'From low to high; a value that reaches one is marked'],
} as const satisfies Field

/** The tones of the levels that a value has reached: none, then from the mildest. */
export const TONES = ['', 'p3', 'p2', 'p1'] as const
