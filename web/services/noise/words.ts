import { translator } from '$ui/dictionary'
import { look } from '$ui/look.svelte'

export const noiseWords = {
  points: ['Điểm đo', 'Points'],
  noPoints: ['Chưa có điểm đo tiếng ồn nào', 'There are no noise points yet'],
  noPointsText: ['Điểm hiện ra khi một thiết bị gửi mức âm.', 'A point appears when a device sends a sound level.'],
  leq: ['Leq giờ {time}', 'Leq of {time}'],
  leqShort: ['Leq giờ', 'Hourly Leq'],
  lden: ['Lden ngày {date}', 'Lden of {date}'],
  ldenShort: ['Lden ngày', 'Lden of the day'],
  limit: ['Giới hạn giờ này {limit} dB', 'Limit of this hour {limit} dB'],
  limitOf: ['Giới hạn {start}–{end} giờ', 'Limit from {start} to {end} h'],
  law: ['QCVN 26:2010/BTNMT, khu vực thông thường', 'QCVN 26:2010/BTNMT, ordinary areas'],
  overBy: ['Vượt {n} dB', '{n} dB above'],
  within: ['Trong giới hạn', 'Within the limit'],
  overNow: ['Điểm vượt giới hạn', 'Points above the limit'],
  loudest: ['Ồn nhất giờ qua', 'Loudest of the last hour'],
  loudestDay: ['Lden cao nhất', 'Highest Lden'],
  none: ['Chưa đủ số: cần 3 trong 4 khắc của giờ', 'Too little data: 3 of an hour’s 4 quarters are needed'],
} as const

export const w = translator(noiseWords, () => look.language)
