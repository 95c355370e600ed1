/** All words of the page of links. */
import { translator } from '$ui/dictionary'
import { look } from '$ui/look.svelte'

export const words = {
  care: ['Khám từ xa', 'Remote consultation'],
  title: ['Đường truyền các trạm', 'Links of the stations'],
  intro: ['Trạm có đường truyền xấu nhất đứng đầu.', 'The station with the worst link comes first.'],
  period: ['Khoảng thời gian', 'Period'],
  hours24: ['24 giờ', '24 hours'],
  days7: ['7 ngày', '7 days'],
  days30: ['30 ngày', '30 days'],
  station: ['Trạm', 'Station'],
  bad: ['Thời gian xấu', 'Time with a bad link'],
  trend: ['Diễn biến', 'Trend'],
  trendText: [
    'Thời gian xấu theo từng khoảng, cũ nhất trước: {values}',
    'Bad time by interval, the oldest first: {values}',
  ],
  noCalls: ['không gọi', 'no call'],
  loss: ['Mất gói', 'Loss'],
  jitter: ['Dao động', 'Jitter'],
  trip: ['Trễ hai chiều', 'Round trip'],
  rate: ['Tốc độ lên / xuống', 'Rate up / down'],
  frozen: ['Hình đứng', 'Frozen'],
  frozenPerHour: ['{time}/giờ', '{time}/h'],
  audioOnly: ['Chỉ âm thanh', 'Sound only'],
  consults: ['Cuộc khám', 'Consults'],
  measured: ['Đã đo', 'Measured'],
  last: ['Mới nhất', 'Newest'],
  good: ['Tốt', 'Good'],
  fair: ['Vừa', 'Fair'],
  poor: ['Xấu', 'Bad'],
  count: ['{n} trạm', '{n} stations'],
  source: [
    'Nguồn: máy chủ khám từ xa và trình duyệt ở trạm, đo 5 giây một lần trong cuộc khám. Số giữa (trung vị) của khoảng đã chọn; mất gói là trung bình.',
    'Source: the consultation server and the station’s browser, every five seconds of a consultation. Medians of the period; loss is a mean.',
  ],
  meaning: [
    'Xấu: mất gói từ 10 %, trễ từ 500 ms, dao động từ 100 ms, hình đứng từ 1,5 s trong 5 s, hoặc không đủ tốc độ cho hình.',
    'Bad: 10 % loss, 500 ms delay, 100 ms jitter or 1.5 s of frozen picture in 5 s and more, or too slow for pictures.',
  ],
  read: ['Đọc lúc {time}', 'Read at {time}'],
  loading: ['Đang đọc số đo', 'Reading the measurements'],
  empty: ['Chưa có số đo nào', 'Nothing was measured'],
  emptyText: [
    'Trong khoảng này chưa có cuộc khám nào. Chọn khoảng dài hơn, hoặc chờ cuộc khám đầu tiên.',
    'There was no consultation in this period. Choose a longer one, or wait for the first.',
  ],
  failed: ['Chưa đọc được số đo', 'The measurements could not be read'],
  failedText: [
    'Máy chủ chưa trả lời, hoặc cơ sở dữ liệu đang tạm dừng. Trang tự thử lại sau ít giây.',
    'The server does not answer, or its database is away. The page tries again by itself.',
  ],
  old: ['Số đo cũ: chưa đọc lại được từ {time}', 'Old values: not read again since {time}'],
  refused: ['Tài khoản này không được xem đường truyền', 'This account may not see the links'],
  refusedText: [
    'Trang dành cho quản trị tỉnh, và cho bác sĩ, quản trị và nhân viên của từng cơ sở. Đăng nhập bằng tài khoản khác, hoặc xin quyền.',
    'It is for the province’s administrators, and for the doctors, administrators and staff of each facility. Sign in with another account, or ask for the right.',
  ],
  signIn: ['Cần đăng nhập', 'Please sign in'],
  signInText: [
    'Đăng nhập ở trang điều hành trong thẻ khác, rồi bấm Thử lại.',
    'Sign in at the operations page in another tab, then press Try again.',
  ],
  retry: ['Thử lại', 'Try again'],
} as const

export const t = translator(words, () => look.language)
