/** Words that the pages of all city services share. */
import { translator } from '$ui/dictionary'
import { look } from '$ui/look.svelte'

export const cityWords = {
  history: ['Diễn biến', 'History'],
  weekBefore: ['tuần trước', 'a week before'],
  lastWeek: ['So tuần trước', 'Last week'],
  change: ['So với cùng giờ tuần trước: {change}', 'Against the same hours last week: {change}'],
  noCompare: ['Chưa có số của tuần trước để so', 'Nothing of last week to compare with'],
  export: ['Xuất CSV', 'Export CSV'],
  exportHint: ['{property} của mọi điểm trong khoảng đang xem', '{property} of every place, over the range shown'],
  source: ['Nguồn', 'Source'],
  methodVersion: ['phiên bản {name}', 'version {name}'],
  measured: ['Đo tại trạm, chỉ tính số tốt', 'Measured, good values only'],
  property: ['Đại lượng', 'Property'],
  back: ['Về danh sách', 'Back to the list'],
  alarms: ['Cảnh báo của lĩnh vực', 'Alarms of this service'],
  now: ['Hiện nay', 'Now'],
  forecast: ['Dự báo', 'Forecast'],
  baseline: ['Giữ nguyên', 'Persistence'],
  skill: ['Độ khéo', 'Skill'],
  error: ['Sai số', 'Error'],
  ahead: ['Trước', 'Ahead'],
  hours: ['{n} giờ', '{n} h'],
  pairs: ['Số lần so', 'Pairs'],
  inside: ['Trong dải', 'In the band'],
  skillText: [
    'Độ khéo = 1 − sai số dự báo / sai số khi giữ nguyên giá trị hiện tại. 0 là không hơn gì giữ nguyên; số âm là kém hơn.',
    'Skill = 1 − error of the forecast / error of persistence. 0 is no better than staying the same; below 0 is worse.',
  ],
  schematic: ['Ranh giới vẽ phỏng', 'Borders are schematic'],
  map: ['Bản đồ', 'Map'],
  noPlace: ['Chưa có vị trí nào để vẽ', 'There are no places to draw'],
  noData: ['Không có số liệu trong khoảng này', 'No data in this range'],
  device: ['Thiết bị', 'Device'],
  less: ['ít', 'low'],
  more: ['nhiều', 'high'],
} as const

export const c = translator(cityWords, () => look.language)
