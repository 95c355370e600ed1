/** What people read, Vietnamese first. A key missing in one language is an error that a test finds. */
export const TEXT = {
  vi: {
    title: "Dòng dữ liệu", account: "Tài khoản", wall: "Điều hành", place: "tỉnh Thái Nguyên", skip: "Tới nội dung", connecting: "Đang nối",
    language: "Ngôn ngữ", theme: "Nền", density: "Độ dày", dark: "Tối", light: "Sáng", contrast: "Tương phản cao",
    desk: "Bàn", wall: "Tường", touch: "Chạm", retry: "Nối ngay", counts: "Số đếm", links: "Liên kết",
    stored: "Quan trắc đã lưu", "rate-plot": "Quan trắc mỗi giây, 2 phút qua", places: "Cả tỉnh lúc này",
    properties: "Đang đo gì", processes: "Tiến trình", newest: "Quan trắc mới nhất", letters: "Không đọc được",
    property: "Đại lượng", streams: "Chuỗi", middle: "Trung vị", spread: "Phân bố lúc này", range: "Thấp – cao",
    thing: "Thiết bị", value: "Giá trị", trend: "Gần đây", quality: "Chất lượng", age: "Tuổi",
    live: "Trực tiếp", "live-lag": (s) => `Trực tiếp · trễ ${s}`, quiet: (s) => `Không có số mới ${s}`, off: "Mất kết nối", idle: "Chưa có số liệu",
    perSecond: (n) => [n, " quan trắc/giây"], estimate: "ước tính", peak: (n) => `cao nhất ${n}/giây`,
    lastCommit: (s) => `Lần lưu cuối ${s} trước`, neverCommit: "Chưa lưu quan trắc nào",
    ratePlot: (now, peak) => `Biểu đồ cột: bây giờ ${now} quan trắc mỗi giây, cao nhất ${peak} trong 2 phút`,
    t_things: "Thiết bị", t_streams: "Chuỗi số liệu", t_pending: "Chờ duyệt", t_dead: "Không đọc được",
    n_streams: (n) => `${n} chuỗi mỗi thiết bị`, n_things: "đã đăng ký", n_pending: "không ai phải chờ", n_pendingSome: "số liệu được giữ lại", n_dead: "mọi bản tin đều đọc được", n_deadSome: "giữ lại kèm lý do",
    n_properties: (n) => `${n} đại lượng`,
    placesNote: (n) => `${n} thiết bị có toạ độ`, placesPlot: (l, t, n) => `Sơ đồ vị trí: ${l} thiết bị đang gửi, ${t} im lặng quá 15 phút, ${n} chưa gửi`,
    k_live: "đang gửi", k_late: "im lặng > 15 phút", k_never: "chưa gửi",
    fresh: (a, b) => `${a} / ${b} chuỗi có số trong 15 phút`, unitless: "",
    processesNote: (a, b) => `${a} / ${b} sẵn sàng`, ready: "sẵn sàng", starting: "đang khởi động", degraded: "thiếu một phần", stopping: "đang dừng", stopped: "đã dừng", gone: "im lặng",
    since: (s) => `chạy ${s}`, seen: (s) => `báo ${s} trước`, silent: (s) => `im lặng ${s}`,
    p_gateway: "Cổng nhận", p_api: "API và trang", p_worker: "Việc nền", p_alarms: "Cảnh báo", p_telehealth: "Khám từ xa", p_simulator: "Tỉnh mô phỏng",
    good: "tốt", clock: "đồng hồ sai", range_: "ngoài ngưỡng", stuck: "đứng yên", unit: "sai đơn vị", late: "gửi muộn", estimated: "ước tính", corrected: "đã sửa",
    newestNote: (n) => `${n} dòng lưu sau cùng`, yes: "có", no: "không", other: "dữ liệu",
    spreadPlot: (n, lo, hi) => `${n} chuỗi từ ${lo} đến ${hi}`, trendPlot: (n) => `${n} giá trị gần đây`,
    e_none: "Chưa có quan trắc nào", e_noneHow: "Gửi bản tin đầu tiên tới tram/v1/{thiết bị}/telemetry, hoặc chạy tỉnh mô phỏng:",
    e_letters: "Không có bản tin hỏng", e_lettersHow: "Mọi bản tin nhận được đều đọc được.", lettersNote: (n) => `giữ ${n}, kèm lý do`,
    e_places: "Chưa thiết bị nào có toạ độ", e_placesHow: "Toạ độ đến cùng bản tin state của thiết bị.",
    e_processes: "Không tiến trình nào báo về", e_processesHow: "Khởi động bằng",
    b_away: "Không tới được máy chủ", b_awaySince: (t, s) => `từ ${t} (${s}). Số trên màn hình là của lúc đó. Tự nối lại.`,
    b_offline: "Máy này đang ngoại tuyến", b_db: "Cơ sở dữ liệu không trả lời", b_dbSince: (t, s) => `từ ${t} (${s}). Bản tin vẫn được giữ ở cổng nhận. Tự nối lại.`,
    back: "Đã nối lại", editionText: { community: "TimescaleDB Community", apache: "TimescaleDB Apache", plain: "PostgreSQL, không TimescaleDB" },
    foot: (e, v, size, version) => `${e} · PostgreSQL ${v} · ${size} · Trạm ${version}`, copies: (n) => `${n} bản`,
    d_received: "nhận", d_stored: "lưu", d_dead_letters: "không đọc được", d_duplicates: "trùng", d_buffered: "chờ lưu", d_reasons: "vì",
  },
  en: {
    title: "Data flow", account: "Account", wall: "Wall", place: "Thái Nguyên province", skip: "Skip to content", connecting: "Connecting",
    language: "Language", theme: "Theme", density: "Density", dark: "Dark", light: "Light", contrast: "High contrast",
    desk: "Desk", wall: "Wall", touch: "Touch", retry: "Reconnect now", counts: "Counts", links: "Links",
    stored: "Observations stored", "rate-plot": "Observations a second, last 2 minutes", places: "The province now",
    properties: "What is measured", processes: "Processes", newest: "Newest observations", letters: "Dead letters",
    property: "Property", streams: "Streams", middle: "Median", spread: "Spread now", range: "Low – high",
    thing: "Thing", value: "Value", trend: "Recent", quality: "Quality", age: "Age",
    live: "Live", "live-lag": (s) => `Live · ${s} behind`, quiet: (s) => `Nothing new for ${s}`, off: "Disconnected", idle: "No data yet",
    perSecond: (n) => [n, " observations a second"], estimate: "estimate", peak: (n) => `peak ${n}/s`,
    lastCommit: (s) => `Last stored ${s} ago`, neverCommit: "No observation stored yet",
    ratePlot: (now, peak) => `Bar plot: ${now} observations a second now, ${peak} at most within 2 minutes`,
    t_things: "Things", t_streams: "Datastreams", t_pending: "Waiting for approval", t_dead: "Dead letters",
    n_streams: (n) => `${n} streams a thing`, n_things: "registered", n_pending: "nobody waits", n_pendingSome: "their data is held", n_dead: "every message could be read", n_deadSome: "kept with their reasons",
    n_properties: (n) => `${n} properties`,
    placesNote: (n) => `${n} things with a place`, placesPlot: (l, t, n) => `Positions: ${l} things are sending, ${t} silent for over 15 minutes, ${n} never sent`,
    k_live: "sending", k_late: "silent > 15 min", k_never: "never sent",
    fresh: (a, b) => `${a} / ${b} streams heard within 15 minutes`, unitless: "",
    processesNote: (a, b) => `${a} / ${b} ready`, ready: "ready", starting: "starting", degraded: "degraded", stopping: "stopping", stopped: "stopped", gone: "silent",
    since: (s) => `up ${s}`, seen: (s) => `heard ${s} ago`, silent: (s) => `silent ${s}`,
    p_gateway: "Gateway", p_api: "API and pages", p_worker: "Worker", p_alarms: "Alarms", p_telehealth: "Telehealth", p_simulator: "Simulated province",
    good: "good", clock: "clock wrong", range_: "out of range", stuck: "stuck", unit: "unit unknown", late: "late", estimated: "estimated", corrected: "corrected",
    newestNote: (n) => `the last ${n} rows stored`, yes: "yes", no: "no", other: "data",
    spreadPlot: (n, lo, hi) => `${n} streams from ${lo} to ${hi}`, trendPlot: (n) => `${n} recent values`,
    e_none: "No observations yet", e_noneHow: "Publish a first message to tram/v1/{thing}/telemetry, or run the simulated province:",
    e_letters: "No dead letters", e_lettersHow: "Every message that came could be read.", lettersNote: (n) => `${n} kept, with reasons`,
    e_places: "No thing has a place yet", e_placesHow: "A thing's place arrives with its state message.",
    e_processes: "No process reports", e_processesHow: "Start them with",
    b_away: "The server cannot be reached", b_awaySince: (t, s) => `since ${t} (${s}). What you see is from then. Reconnecting by itself.`,
    b_offline: "This computer is offline", b_db: "The database does not answer", b_dbSince: (t, s) => `since ${t} (${s}). Messages are held at the broker. Reconnecting by itself.`,
    back: "Connected again", editionText: { community: "TimescaleDB Community", apache: "TimescaleDB Apache", plain: "PostgreSQL without TimescaleDB" },
    foot: (e, v, size, version) => `${e} · PostgreSQL ${v} · ${size} · Trạm ${version}`, copies: (n) => `${n} of them`,
    d_received: "received", d_stored: "stored", d_dead_letters: "dead letters", d_duplicates: "duplicates", d_buffered: "buffered", d_reasons: "because",
  },
};

let language = document.documentElement.lang === "en" ? "en" : "vi";

/** Chooses the language of everything that follows. */
export function speak(lang) {
  language = lang;
}

export function spoken() {
  return language;
}

/** The text of a key; texts with parts are functions of them. */
export function t(key, ...parts) {
  const text = TEXT[language][key];
  return typeof text === "function" ? text(...parts) : text;
}

/** Fills every element that names its text: data-t its content, data-l its label. */
export function fill(root = document) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-l]")) element.setAttribute("aria-label", t(element.dataset.l));
}
