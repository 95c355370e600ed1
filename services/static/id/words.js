/** What people read on these pages, Vietnamese first. A test finds a key that is missing in one language. */
export const WORDS = {
  vi: {
    signIn: "Đăng nhập", lead: "Dùng tài khoản của Trạm.", login: "Tên đăng nhập", password: "Mật khẩu", code: "Mã 6 số", go: "Tiếp tục",
    or: "hoặc", continueWith: (name) => `Tiếp tục với ${name}`, codeLead: "Nhập mã trong ứng dụng xác thực, hoặc một mã dự phòng.", back: "Quay lại",
    audited: "Mọi lần truy cập được ghi vào nhật ký hệ thống.", motto: "Cả tỉnh trong tầm mắt", mottoMore: "Trung tâm giám sát, điều hành thông minh và khám từ xa của tỉnh Thái Nguyên.",
    demo: "Bản trình diễn: tên và mật khẩu được in ra khi chạy “make up”.", language: "Ngôn ngữ", theme: "Nền", dark: "Tối", light: "Sáng", contrast: "Tương phản cao",
    skip: "Tới nội dung", away: "Không tới được máy chủ. Thử lại sau.", n_wall: "Điều hành", n_flow: "Dòng dữ liệu", n_account: "Tài khoản", n_notices: "Thông báo", n_people: "Người dùng", n_audit: "Nhật ký", n_out: "Đăng xuất", pages: "Trang",
    prove: "Xác nhận lại danh tính", proveWhy: "Việc này cần xác nhận. Xác nhận có hiệu lực 5 phút.", cancel: "Thôi",
    profile: "Thông tin", name: "Họ và tên", email: "Thư điện tử", save: "Lưu", saved: "Đã lưu.", roles: "Vai trò của bạn", noRoles: "Chưa có vai trò nào. Hãy liên hệ người quản trị.",
    everywhere: "mọi nơi", newPassword: "Đổi mật khẩu", current: "Mật khẩu hiện tại", next: "Mật khẩu mới", nextHint: "Ít nhất 12 ký tự. Một câu dễ nhớ là tốt nhất.", changed: "Đã đổi mật khẩu. Các phiên khác đã kết thúc.",
    providerOnly: "Bạn đăng nhập ở nhà cung cấp danh tính: mật khẩu đổi ở đó.",
    factor: "Xác thực hai lớp", factorOn: (n) => `Đang bật. Còn ${n} mã dự phòng.`, factorOff: "Chưa bật. Nên bật: mật khẩu lộ vẫn chưa đủ để vào.", begin: "Bật", again: "Đổi thiết bị", off: "Tắt", newCodes: "Tạo lại mã dự phòng",
    scan: "Quét bằng ứng dụng xác thực", typed: "Hoặc nhập khoá này:", firstCode: "Rồi nhập mã đầu tiên", enrolled: "Đã bật. Cất các mã dự phòng này ở nơi an toàn: mỗi mã dùng một lần, không hiện lại.",
    sessions: "Đang đăng nhập ở", here: "phiên này", end: "Kết thúc", everywhereOut: "Đăng xuất mọi nơi", sessionLine: (a, s) => `${a} · dùng lần cuối ${s}`,
    tokens: "Khoá truy cập cho chương trình", tokenLead: "Khoá có quyền của bạn, thu hẹp vào một vai trò.", label: "Tên khoá", role: "Vai trò", place: "Mã địa bàn hoặc cơ sở", placeHint: "Để trống: như quyền của bạn", days: "Số ngày", make: "Tạo khoá", revoke: "Thu hồi", revoked: "đã thu hồi", expired: "hết hạn", until: (d) => `đến ${d}`, neverUsed: "chưa dùng", used: (d) => `dùng ${d}`, noTokens: "Chưa có khoá nào.",
    once: "Chỉ hiện một lần. Chép lại ngay:",
    must_change: "Đặt mật khẩu của riêng bạn trước khi làm việc khác.", must_enrol: "Vai trò của bạn cần xác thực hai lớp. Hãy bật trước khi làm việc khác.",
    people: "Người dùng và vai trò", search: "Tìm tên", add: "Thêm người", person: "Người", lastSeen: "Đăng nhập cuối", never: "chưa bao giờ", disabled: "đã khoá", demoTag: "trình diễn", twoFactor: "hai lớp", open: "Mở", disable: "Khoá tài khoản", enable: "Mở khoá", reset: "Đặt lại mật khẩu", give: "Cấp vai trò", take: "Thu hồi", close: "Đóng", givenBy: (w, d) => `${w} cấp ${d}`, local: "tại đây", firstRole: "Vai trò đầu tiên", added: (l) => `Đã thêm ${l}. Mật khẩu tạm:`, resetDone: (l) => `Mật khẩu tạm của ${l}:`, more: "Tải thêm", nobody: "Không có ai khớp.", areaCode: "Mã địa bàn (trống: cả tỉnh)", facilityCode: "Mã cơ sở y tế",
    audit: "Nhật ký kiểm toán", seq: "Số", at: "Lúc", actor: "Ai", operation: "Việc", target: "Đối tượng", outcome: "Kết quả", why: "Vì sao", origin: "Từ đâu", allowed: "được phép", refused: "bị từ chối", failed: "hỏng", any: "Tất cả", find: "Tìm", verify: "Kiểm chứng chuỗi", verified: (n, a) => `Nguyên vẹn: ${n} dòng, đối chiếu ${a} dấu mốc bên ngoài.`, faulty: (n) => `${n} chỗ hỏng`, exportIt: "Xuất", nothing: "Không có dòng nào khớp.", events: "Sự kiện an ninh", event: "Sự kiện", subject: "Về",
    "p_wrong-credentials": "Sai tên, mật khẩu hoặc mã.", p_locked: "Thử sai quá nhiều. Hãy đợi.", "p_rate-limited": "Quá nhiều yêu cầu. Hãy đợi.", p_wait: (s) => `Hãy đợi ${s} giây rồi thử lại.`, p_forbidden: "Bạn không có quyền làm việc này.", "p_step-up": "Cần xác nhận lại danh tính.", "p_must-change": "Đặt mật khẩu của riêng bạn trước.", "p_must-enrol": "Bật xác thực hai lớp trước.", p_unauthenticated: "Phiên đã hết. Hãy đăng nhập lại.", p_unavailable: "Hệ thống đang bận. Thử lại sau.", "p_not-found": "Không tìm thấy.", p_conflict: "Không làm được: trái với dữ liệu đang có.", p_provider: "Đăng nhập ở nhà cung cấp danh tính không thành.",
  },
  en: {
    signIn: "Sign in", lead: "With your Trạm account.", login: "Sign-in name", password: "Password", code: "6-digit code", go: "Continue",
    or: "or", continueWith: (name) => `Continue with ${name}`, codeLead: "Type the code of your authenticator, or a recovery code.", back: "Back",
    audited: "Every access is written to the system's audit.", motto: "The whole province in sight", mottoMore: "Operations centre and telehealth of Thái Nguyên province.",
    demo: "A demonstration: names and passwords were printed by “make up”.", language: "Language", theme: "Theme", dark: "Dark", light: "Light", contrast: "High contrast",
    skip: "Skip to content", away: "The server cannot be reached. Try again later.", n_wall: "Wall", n_flow: "Data flow", n_account: "Account", n_notices: "Notifications", n_people: "People", n_audit: "Audit", n_out: "Sign out", pages: "Pages",
    prove: "Prove again who you are", proveWhy: "This needs proof. It is good for 5 minutes.", cancel: "Cancel",
    profile: "Profile", name: "Full name", email: "E-mail", save: "Save", saved: "Saved.", roles: "Your roles", noRoles: "No role yet. Ask your administrator.",
    everywhere: "everywhere", newPassword: "Change password", current: "Current password", next: "New password", nextHint: "At least 12 characters. A sentence is best.", changed: "Password changed. Other sessions have ended.",
    providerOnly: "You sign in at an identity provider: change the password there.",
    factor: "Second factor", factorOn: (n) => `On. ${n} recovery codes left.`, factorOff: "Off. Turn it on: then a leaked password is not enough.", begin: "Turn on", again: "Change device", off: "Turn off", newCodes: "New recovery codes",
    scan: "Scan with an authenticator app", typed: "Or type this key:", firstCode: "Then type the first code", enrolled: "It is on. Keep these recovery codes in a safe place: each works once, they are not shown again.",
    sessions: "Signed in at", here: "this session", end: "End", everywhereOut: "Sign out everywhere", sessionLine: (a, s) => `${a} · last used ${s}`,
    tokens: "Access tokens for programs", tokenLead: "A token may do what you may, narrowed to one role.", label: "Token name", role: "Role", place: "Area or facility code", placeHint: "Empty: as far as you reach", days: "Days", make: "Make token", revoke: "Revoke", revoked: "revoked", expired: "expired", until: (d) => `until ${d}`, neverUsed: "never used", used: (d) => `used ${d}`, noTokens: "No tokens yet.",
    once: "Shown once. Copy it now:",
    must_change: "Set a password of your own before anything else.", must_enrol: "Your role needs a second factor. Turn it on before anything else.",
    people: "People and roles", search: "Find a name", add: "Add somebody", person: "Person", lastSeen: "Last sign-in", never: "never", disabled: "disabled", demoTag: "demo", twoFactor: "second factor", open: "Open", disable: "Disable account", enable: "Enable", reset: "Reset password", give: "Give role", take: "Take", close: "Close", givenBy: (w, d) => `given by ${w} ${d}`, local: "here", firstRole: "First role", added: (l) => `${l} was added. Temporary password:`, resetDone: (l) => `Temporary password of ${l}:`, more: "Load more", nobody: "Nobody matches.", areaCode: "Area code (empty: the province)", facilityCode: "Facility code",
    audit: "Audit", seq: "No.", at: "When", actor: "Who", operation: "What", target: "On", outcome: "Outcome", why: "Why", origin: "From", allowed: "allowed", refused: "refused", failed: "failed", any: "All", find: "Search", verify: "Verify chain", verified: (n, a) => `Whole: ${n} rows, compared with ${a} anchors outside.`, faulty: (n) => `${n} faults`, exportIt: "Export", nothing: "No row matches.", events: "Security events", event: "Event", subject: "About",
    "p_wrong-credentials": "The name, password or code is wrong.", p_locked: "Too many wrong tries. Wait.", "p_rate-limited": "Too many requests. Wait.", p_wait: (s) => `Wait ${s} seconds and try again.`, p_forbidden: "You may not do this.", "p_step-up": "Prove again who you are.", "p_must-change": "Set a password of your own first.", "p_must-enrol": "Turn on the second factor first.", p_unauthenticated: "The session is over. Sign in again.", p_unavailable: "The system is busy. Try again later.", "p_not-found": "Not found.", p_conflict: "Not possible: it contradicts what is stored.", p_provider: "Signing in at the identity provider did not work.",
  },
};

/** The words of the page's language. */
export function t(key, ...values) {
  const found = WORDS[document.documentElement.lang === "en" ? "en" : "vi"][key];
  if (found === undefined) return key;
  return typeof found === "function" ? found(...values) : found;
}

/** A moment as people write it here, in +07. */
export function moment(text) {
  if (!text) return "";
  const english = document.documentElement.lang === "en";
  const zone = { timeZone: "Asia/Ho_Chi_Minh" };
  const day = new Intl.DateTimeFormat(english ? "en-GB" : "vi-VN", { ...zone, day: english ? "numeric" : "2-digit", month: english ? "short" : "2-digit", year: "numeric" });
  const hour = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" });
  return `${day.format(new Date(text))} ${hour.format(new Date(text))}`;
}

/** "Firefox · Windows" of a browser's own long name. */
export function browser(agent) {
  const one = (names) => names.find(([, pattern]) => pattern.test(agent))?.[0];
  const name = one([["Edge", /Edg\//], ["Firefox", /Firefox\//], ["Chrome", /Chrom(e|ium)\//], ["Safari", /Safari\//]]);
  const system = one([["Android", /Android/], ["iPhone", /iPhone|iPad/], ["Windows", /Windows/], ["macOS", /Mac OS/], ["Linux", /Linux/]]);
  return [name, system].filter(Boolean).join(" · ") || agent.slice(0, 40);
}
