"""The catalogue of security events: stable names, so that panels, filters and alarms can rely on them.

An event is a row of the store's `event` table, kind `security`; see tram.store.events. Severities are those of syslog
that are used here: `info`, `notice`, `warning`, `alert`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KIND = "security"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    code: str
    severity: str
    vi: str
    en: str


_ALL = (
    SecurityEvent("sign-in.succeeded", "info", "Đăng nhập", "Signed in"),
    SecurityEvent("sign-in.failed", "notice", "Đăng nhập sai", "Sign-in failed"),
    SecurityEvent("sign-in.locked", "warning", "Tạm khoá đăng nhập", "Sign-in held back after failures"),
    SecurityEvent("sign-out", "info", "Đăng xuất", "Signed out"),
    SecurityEvent("session.new-origin", "notice", "Đăng nhập từ nơi mới", "Signed in from a new address or browser"),
    SecurityEvent("step-up.failed", "warning", "Xác nhận danh tính sai", "Step-up failed"),
    SecurityEvent("second-factor.enrolled", "notice", "Bật xác thực hai lớp", "Second factor enrolled"),
    SecurityEvent("second-factor.removed", "warning", "Tắt xác thực hai lớp", "Second factor removed"),
    SecurityEvent("recovery-code.used", "warning", "Dùng mã dự phòng", "Recovery code used"),
    SecurityEvent("password.changed", "notice", "Đổi mật khẩu", "Password changed"),
    SecurityEvent("password.reset", "warning", "Đặt lại mật khẩu", "Password reset by another"),
    SecurityEvent("account.added", "notice", "Thêm tài khoản", "Account added"),
    SecurityEvent("account.disabled", "notice", "Khoá tài khoản", "Account disabled"),
    SecurityEvent("role.granted", "warning", "Cấp vai trò", "Role granted"),
    SecurityEvent("role.taken", "notice", "Thu hồi vai trò", "Role taken"),
    SecurityEvent("token.made", "notice", "Tạo khoá truy cập", "Access token made"),
    SecurityEvent("token.revoked", "notice", "Thu hồi khoá truy cập", "Access token revoked"),
    SecurityEvent("token.refused", "warning", "Khoá hoặc phiên không hợp lệ", "Token or session refused"),
    SecurityEvent("access.refused", "warning", "Bị từ chối quyền", "Refused by a rule"),
    SecurityEvent("request.cross-origin", "warning", "Yêu cầu từ trang khác", "Cross-origin request refused"),
    SecurityEvent("request.rate-limited", "warning", "Vượt giới hạn tần suất", "Rate limit reached"),
    SecurityEvent("device.new", "notice", "Thiết bị mới", "New device"),
    SecurityEvent("device.credential", "notice", "Cấp chứng thực thiết bị", "Device credential issued"),
    SecurityEvent("device.revoked", "warning", "Thu hồi thiết bị", "Device revoked"),
    SecurityEvent("device.refused", "warning", "Thiết bị bị từ chối kết nối", "Device refused by the broker"),
    SecurityEvent("device.topic-refused", "warning", "Thiết bị gửi sai chủ đề", "Device refused a topic"),
    SecurityEvent("device.claim-failed", "warning", "Mã nhận thiết bị sai", "Wrong claim code"),
    SecurityEvent("break-glass.opened", "alert", "Truy cập khẩn cấp hồ sơ", "A record was opened in an emergency"),
    SecurityEvent("key.rotated", "notice", "Đổi khoá ký", "Signing key rotated"),
    SecurityEvent("audit.fault", "alert", "Nhật ký bị sửa", "The audit was tampered with"),
)

CATALOGUE: Mapping[str, SecurityEvent] = {event.code: event for event in _ALL}
