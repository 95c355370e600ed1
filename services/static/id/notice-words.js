/** What people read on the page of notifications, Vietnamese first. */
export const WORDS = {
  vi: {
    title: "Thông báo", channels: "Kênh nhận", lead: "Cảnh báo trong địa bàn của bạn được gửi qua các kênh này.", none: "Chưa có kênh nào.",
    email: "Thư điện tử", webhook: "Webhook", push: "Trình duyệt", addEmail: "Thêm địa chỉ thư", address: "Địa chỉ thư", addWebhook: "Thêm webhook", url: "URL https",
    addPush: "Bật trên trình duyệt này", noPush: "Trình duyệt này không nhận được thông báo đẩy.", denied: "Trình duyệt không cho phép thông báo.",
    test: "Gửi thử", tested: "Đã gửi. Xem nhật ký bên dưới.", off: "Tắt", on: "Bật", remove: "Xoá", isOff: "đang tắt", waits: "chờ mã", works: "hoạt động",
    code: (a) => `Mã 6 số đã gửi tới ${a}`, confirm: "Xác nhận", secret: "Khoá bí mật của webhook, chỉ hiện một lần. Chép lại ngay:",
    delivered: (d) => `gửi được lần cuối ${d}`, failing: (n, e) => `hỏng ${n} lần: ${e}`, dropped: (n) => `${n} tin bị bỏ vì quá nhiều`,
    wishes: "Muốn nghe gì", enabled: "Nhận thông báo", least: "Mức thấp nhất", low: "Thấp", medium: "Trung bình", high: "Cao", critical: "Nghiêm trọng",
    areas: "Mã địa bàn, cách nhau bằng dấu phẩy", areasHint: "Để trống: mọi địa bàn bạn được xem", returned: "Báo cả khi cảnh báo đã hết", from: "Yên lặng từ", until: "đến",
    passes: "Cảnh báo nghiêm trọng vẫn đến trong giờ yên lặng", flood: "Số tin trong 10 phút, sau đó gộp lại", save: "Lưu", saved: "Đã lưu.",
    log: "Nhật ký gửi", empty: "Chưa gửi gì.", waiting: "chờ", sent: "đã gửi", failed: "không gửi được", gone: "đã bỏ", alarm: "cảnh báo", kind_test: "tin thử", kind_code: "mã xác nhận", more: "Tải thêm",
  },
  en: {
    title: "Notifications", channels: "Channels", lead: "Alarms in your areas are sent through these.", none: "No channel yet.",
    email: "E-mail", webhook: "Webhook", push: "Browser", addEmail: "Add an address", address: "E-mail address", addWebhook: "Add a webhook", url: "https URL",
    addPush: "Turn on in this browser", noPush: "This browser takes no pushed notifications.", denied: "The browser does not allow notifications.",
    test: "Send a test", tested: "Sent. The log below says what became of it.", off: "Switch off", on: "Switch on", remove: "Remove", isOff: "off", waits: "waits for its code", works: "works",
    code: (a) => `The 6-digit code sent to ${a}`, confirm: "Confirm", secret: "The webhook's secret, shown once. Copy it now:",
    delivered: (d) => `last delivered ${d}`, failing: (n, e) => `failed ${n} times: ${e}`, dropped: (n) => `${n} messages dropped: too many`,
    wishes: "What to hear", enabled: "Notify me", least: "Lowest priority", low: "Low", medium: "Medium", high: "High", critical: "Critical",
    areas: "Area codes, with commas", areasHint: "Empty: all areas that you may see", returned: "Also when an alarm is over", from: "Quiet from", until: "until",
    passes: "Critical alarms come in quiet hours too", flood: "Messages in 10 minutes, then a digest", save: "Save", saved: "Saved.",
    log: "Delivery log", empty: "Nothing was sent yet.", waiting: "waiting", sent: "sent", failed: "failed", gone: "dropped", alarm: "alarm", kind_test: "test", kind_code: "code", more: "Load more",
  },
};

/** The words of the page's language. */
export function w(key, ...values) {
  const found = WORDS[document.documentElement.lang === "en" ? "en" : "vi"][key] ?? key;
  return typeof found === "function" ? found(...values) : found;
}
