"""The catalogue: every operation of Trạm, and the rule of each. The ONE place where rules are written.

An operation is what somebody wants to do, not a path: several endpoints, a WebSocket message and a command may be the
same one. A rule gives, for each role that may do it, how far (scope.Reach). A role that is not named may not.
`docs/authorisation.md` is generated from this file; a test fails where an endpoint, message or command names no rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tram.identity.roles import Role
from tram.identity.scope import Reach

CITIZEN, OPERATOR, CITY_ADMIN, AUDITOR = Role.CITIZEN, Role.OPERATOR, Role.CITY_ADMIN, Role.AUDITOR
STAFF, DOCTOR, HOSPITAL, DEVICE, MACHINE = (
    Role.STATION_STAFF, Role.DOCTOR, Role.HOSPITAL_ADMIN, Role.DEVICE, Role.MACHINE,
)  # fmt: skip
EVERYWHERE, AREA, FACILITY, ASSIGNED, OWN, PUBLIC = (
    Reach.EVERYWHERE, Reach.AREA, Reach.FACILITY, Reach.ASSIGNED, Reach.OWN, Reach.PUBLIC,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation and its rule.

    Attributes:
        name: `subject.verb`, stable: the audit, tokens and documents hold it.
        vi, en: what it is.
        rules: how far each role may go.
        step_up: the person must have proved who they are within the last minutes.
        audited: whether every success is written to the audit (refusals of known principals always are).
    """

    name: str
    vi: str
    en: str
    rules: Mapping[Role, tuple[Reach, ...]] = field(default_factory=dict)
    step_up: bool = False
    audited: bool = False


Rules = Mapping[Role, Reach | tuple[Reach, ...]]


def _operation(name: str, vi: str, en: str, rules: Rules, *, step_up: bool = False, audited: bool = False) -> Operation:
    spread = {role: reach if isinstance(reach, tuple) else (reach,) for role, reach in rules.items()}
    return Operation(name, vi, en, spread, step_up, audited)


_CITY: Rules = {CITIZEN: PUBLIC, OPERATOR: AREA, CITY_ADMIN: AREA, MACHINE: EVERYWHERE}
_CITY_STAFF: Rules = {OPERATOR: AREA, CITY_ADMIN: AREA, MACHINE: EVERYWHERE}
_OVERSIGHT: Rules = {CITY_ADMIN: EVERYWHERE, AUDITOR: EVERYWHERE, MACHINE: EVERYWHERE}
_PEOPLE: Rules = {CITY_ADMIN: AREA, HOSPITAL: FACILITY, MACHINE: EVERYWHERE}
_SERVER: Rules = {MACHINE: EVERYWHERE}

_ALL = (
    # Open to everybody
    _operation("open.read", "Xem trang công khai", "Open a public page or health check", {CITIZEN: EVERYWHERE, DEVICE: EVERYWHERE}),
    _operation("session.open", "Đăng nhập", "Sign in", {CITIZEN: EVERYWHERE}),
    _operation("session.close", "Đăng xuất", "Sign out", {CITIZEN: EVERYWHERE}),
    # One's own account
    _operation("account.read", "Xem tài khoản của mình", "See one's own account", {CITIZEN: OWN}),
    _operation("account.prove", "Xác nhận lại danh tính", "Prove again who one is (step-up)", {CITIZEN: OWN}, audited=True),
    _operation("account.change", "Đổi tài khoản của mình", "Change one's own password, second factor, sessions, tokens", {CITIZEN: OWN}, step_up=True, audited=True),
    # The city plane
    _operation("areas.read", "Xem danh mục địa bàn", "See the list of areas", {CITIZEN: EVERYWHERE, DEVICE: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("things.read", "Xem thiết bị", "See Things, Datastreams and where they stand", _CITY),
    _operation("observations.read", "Xem số liệu", "See latest values and series", _CITY),
    _operation("overview.read", "Xem tổng quan toàn tỉnh", "See the province at a glance: figures over all of it, and where things stand", {OPERATOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, AUDITOR: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("sensorthings.read", "Đọc qua SensorThings", "Read through the SensorThings API", _CITY),
    _operation("sensorthings.write", "Ghi qua SensorThings", "Create, change and delete through the SensorThings API", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}),
    _operation("data.export", "Xuất số liệu", "Take Observations out as a file", _CITY_STAFF, audited=True),
    _operation("data.policies", "Xem thời hạn lưu giữ", "See how long data is kept", {OPERATOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, AUDITOR: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("data.retain", "Đặt thời hạn lưu giữ", "Set how long data is kept", {CITY_ADMIN: EVERYWHERE, MACHINE: EVERYWHERE}, audited=True),
    _operation("alarms.read", "Xem cảnh báo", "See alarms, their history and figures", {**_CITY_STAFF, AUDITOR: EVERYWHERE}),
    _operation("alarms.act", "Xử lý cảnh báo", "Acknowledge, assign, comment, shelve and close alarms", _CITY_STAFF, audited=True),
    _operation("alarms.assignees", "Xem có thể giao cảnh báo cho ai", "See the names of those an alarm can be given to", _CITY_STAFF),
    _operation("alarms.suppress", "Ngừng hoặc khôi phục điểm cảnh báo", "Suppress a rule at a Thing, take it out of service, restore it", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("alarm-rules.read", "Xem quy tắc cảnh báo", "See rules of alarms and their faults", {**_CITY_STAFF, AUDITOR: EVERYWHERE}),
    _operation("alarm-rules.try", "Thử quy tắc cảnh báo", "Try a rule on history", _CITY_STAFF),
    _operation("alarm-rules.manage", "Quản lý quy tắc cảnh báo", "Add, change and delete rules of alarms", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("calculated.read", "Xem chuỗi số liệu tính toán", "See calculated Datastreams and their faults", _CITY_STAFF),
    _operation("calculated.try", "Thử công thức trên số liệu cũ", "Try an expression on history", _CITY_STAFF),
    _operation("calculated.manage", "Quản lý chuỗi số liệu tính toán", "Add, change and remove calculated Datastreams", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("dashboards.read", "Xem bảng điều khiển", "Open one's own dashboards, and shared ones that show nothing beyond one's reach", {OPERATOR: (OWN, PUBLIC), CITY_ADMIN: (OWN, PUBLIC), MACHINE: EVERYWHERE}),
    _operation("dashboards.manage", "Soạn bảng điều khiển", "Add dashboards; change, share and delete one's own (an admin of everywhere: every shared one)", {OPERATOR: OWN, CITY_ADMIN: (OWN, AREA), MACHINE: EVERYWHERE}, audited=True),
    _operation("city.configure", "Cấu hình dịch vụ đô thị", "Configure a city service: alarm levels, corridors, junctions", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("notifications.receive", "Nhận thông báo về cảnh báo", "Be told of alarms", {OPERATOR: AREA, CITY_ADMIN: AREA}),
    _operation("notifications.read", "Xem cách mình nhận thông báo", "See one's own channels, preferences and delivery log", {CITIZEN: OWN}),
    _operation("notifications.change", "Đổi cách mình nhận thông báo", "Change one's own channels and preferences", {CITIZEN: OWN}),
    _operation("notifications.log", "Xem nhật ký gửi thông báo", "See everybody's delivery log", _OVERSIGHT),
    _operation("cap.read", "Xem cảnh báo công cộng (CAP)", "Read the public's alerts (CAP)", {CITIZEN: EVERYWHERE, DEVICE: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("cap.rules", "Xem quy tắc cảnh báo công cộng", "See which alarms the public is told of", {OPERATOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, AUDITOR: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("cap.manage", "Quản lý quy tắc cảnh báo công cộng", "Set which alarms the public is told of", {CITY_ADMIN: EVERYWHERE, MACHINE: EVERYWHERE}, audited=True),
    _operation("annotations.read", "Xem ghi chú trên biểu đồ", "See notes on charts", {**_CITY_STAFF, AUDITOR: EVERYWHERE}),
    _operation("annotations.write", "Viết ghi chú trên biểu đồ", "Write notes on charts, change and delete one's own", _CITY_STAFF, audited=True),
    _operation("annotations.manage", "Sửa, xoá ghi chú của người khác", "Change and delete other people's notes on charts", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("live.subscribe", "Theo dõi trực tiếp", "Follow live values", _CITY),
    _operation("system.read", "Xem tình trạng hệ thống", "See the state of the processes", {OPERATOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, AUDITOR: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("pending.read", "Xem thiết bị chờ duyệt", "See Things that wait to be accepted", _CITY_STAFF),
    _operation("pending.decide", "Duyệt hoặc từ chối thiết bị", "Accept or refuse a Thing that waits", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("deadletters.read", "Xem bản tin hỏng", "See the messages that could not be decoded", {OPERATOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, MACHINE: EVERYWHERE}),
    _operation("deadletters.redecode", "Đọc lại bản tin hỏng", "Have dead letters read once more", {OPERATOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, MACHINE: EVERYWHERE}, audited=True),
    _operation("messages.read", "Xem bản tin gần nhất của thiết bị", "See a device's latest messages, raw and decoded", {OPERATOR: AREA, CITY_ADMIN: AREA, MACHINE: EVERYWHERE}),
    _operation("messages.watch", "Giữ lại bản tin của thiết bị để xem", "Have a device's messages kept for a few minutes, to look at them", {OPERATOR: AREA, CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("commands.send", "Gửi lệnh tới thiết bị", "Send a command to a device", {OPERATOR: AREA, CITY_ADMIN: AREA}, audited=True),
    # Devices
    _operation("devices.read", "Xem chứng thực thiết bị", "See devices' credentials (never their secrets)", {OPERATOR: AREA, CITY_ADMIN: AREA, MACHINE: EVERYWHERE}),
    _operation("devices.manage", "Cấp, đổi, thu hồi chứng thực thiết bị", "Issue, rotate and revoke device credentials and claim codes", {CITY_ADMIN: AREA, MACHINE: EVERYWHERE}, audited=True),
    _operation("devices.claim", "Nhận thiết bị bằng mã", "Turn a claim code into a credential", {CITIZEN: EVERYWHERE}, audited=True),
    _operation("devices.renew", "Thiết bị tự đổi mật khẩu", "A device renews its own credential", {DEVICE: OWN}, audited=True),
    _operation("telemetry.publish", "Gửi số liệu", "Publish under one's own topics", {DEVICE: OWN}),
    # People
    _operation("people.read", "Xem người dùng", "See people and their roles", {**_PEOPLE, AUDITOR: EVERYWHERE}),
    _operation("people.manage", "Quản lý người dùng", "Add people, disable them, set a new password", _PEOPLE, step_up=True, audited=True),
    _operation("roles.grant", "Cấp và thu hồi vai trò", "Give and take roles", _PEOPLE, step_up=True, audited=True),
    _operation("tokens.read", "Xem khoá truy cập", "See everybody's access tokens (never their secrets)", _OVERSIGHT),
    # Oversight
    _operation("audit.read", "Xem nhật ký kiểm toán", "Search the audit", {AUDITOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, MACHINE: EVERYWHERE}, audited=True),
    _operation("audit.export", "Xuất nhật ký kiểm toán", "Export the audit", {AUDITOR: EVERYWHERE, MACHINE: EVERYWHERE}, audited=True),
    _operation("audit.verify", "Kiểm chứng nhật ký", "Verify the audit's chain", {AUDITOR: EVERYWHERE, CITY_ADMIN: EVERYWHERE, MACHINE: EVERYWHERE}, audited=True),
    _operation("events.read", "Xem sự kiện an ninh", "See security events", _OVERSIGHT),
    # The care plane
    _operation("consult.request", "Yêu cầu hội chẩn", "Request a consult for a patient at one's station", {STAFF: FACILITY}, audited=True),
    _operation("consult.queue", "Xem hàng đợi hội chẩn", "See the waiting queue of one's facility", {STAFF: FACILITY, DOCTOR: FACILITY, HOSPITAL: FACILITY}),
    _operation("consult.accept", "Nhận hội chẩn", "Accept a consult from the queue", {DOCTOR: FACILITY}, audited=True),
    _operation("consult.assign", "Phân công bác sĩ", "Assign or withdraw a doctor", {HOSPITAL: FACILITY}, audited=True),
    _operation("consult.close", "Đóng hội chẩn", "Close a consult", {STAFF: ASSIGNED, DOCTOR: ASSIGNED, HOSPITAL: FACILITY}, audited=True),
    _operation("consult.join", "Vào phòng hội chẩn", "Join a consult's room", {STAFF: ASSIGNED, DOCTOR: ASSIGNED}, audited=True),
    _operation("consult.lead", "Điều hành phòng hội chẩn", "Admit, refuse, hand over and end in a consult's room", {DOCTOR: ASSIGNED}, audited=True),
    _operation("consult.demo", "Hội chẩn trình diễn", "Open a demo consult (never in production)", {MACHINE: EVERYWHERE, CITIZEN: PUBLIC}),
    _operation("consult.quality", "Xem chất lượng đường truyền hội chẩn", "See the quality of consults' links", {HOSPITAL: FACILITY, DOCTOR: FACILITY, STAFF: FACILITY, CITY_ADMIN: EVERYWHERE}),
    _operation("consult.record", "Ghi hình hội chẩn", "Start a recording, given everybody's consent", {STAFF: ASSIGNED, DOCTOR: ASSIGNED}, audited=True),
    _operation("record.read", "Xem bệnh án", "Read a clinical record", {STAFF: FACILITY, DOCTOR: ASSIGNED}, audited=True),
    _operation("record.write", "Ghi bệnh án", "Write to a clinical record", {STAFF: ASSIGNED, DOCTOR: ASSIGNED}, audited=True),
    _operation("record.sign", "Ký bệnh án", "Sign a clinical record", {STAFF: ASSIGNED, DOCTOR: ASSIGNED}, step_up=True, audited=True),
    _operation("record.break-glass", "Truy cập khẩn cấp", "Open a record one is not assigned to, with a reason", {DOCTOR: EVERYWHERE}, step_up=True, audited=True),
    _operation("record.export", "Xuất bệnh án", "Take a record's summary out", {STAFF: FACILITY, DOCTOR: ASSIGNED}, audited=True),
    # The server itself
    _operation("server.run", "Chạy hệ thống", "Start, stop and look after the server's processes", _SERVER),
    _operation("server.inspect", "Xem cấu hình máy chủ", "See versions, settings in force and what is missing", _SERVER),
    _operation("server.data", "Quản lý dữ liệu từ máy chủ", "Import, back up, restore and rebuild data from the server", _SERVER, audited=True),
    _operation("server.migrate", "Nâng cấp cơ sở dữ liệu", "Bring the database's structure up to date", _SERVER),
    _operation("server.areas", "Nhập danh mục địa bàn", "Import the areas that scopes are made of", _SERVER),
    _operation("server.keys", "Quản lý khoá ký", "Rotate signing keys and write the broker's files", _SERVER, audited=True),
    _operation("server.people", "Quản lý người dùng từ máy chủ", "Add people, reset passwords and give roles from the server", _SERVER, audited=True),
    _operation("server.tokens", "Cấp khoá truy cập từ máy chủ", "Make and revoke access tokens from the server", _SERVER, audited=True),
)  # fmt: skip

OPERATIONS: Mapping[str, Operation] = {operation.name: operation for operation in _ALL}
