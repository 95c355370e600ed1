"""The demo's people: one of every role, with random passwords that are shown once. Production refuses them."""

from tram.commands._identity import desk
from tram.identity import hashing, passwords
from tram.identity.claims import parse_grant
from tram.settings import Settings
from tram.store import areas, people

PEOPLE = (
    # sign-in name, name, role
    ("dan", "Người dân", ""),
    ("truc.tinh", "Trực ban toàn tỉnh", "operator"),
    ("truc.phoyen", "Trực ban Phổ Yên", "operator:area=05860"),
    ("quantri", "Quản trị tỉnh", "city-admin"),
    ("tram.quangson", "Trạm y tế Quang Sơn", "station-staff:facility=TYT-QS"),
    ("bacsi", "Bác sĩ trực", "doctor:facility=BV-TN"),
    ("quantri.bv", "Quản trị bệnh viện", "hospital-admin:facility=BV-TN"),
    ("kiemtoan", "Kiểm toán viên", "auditor"),
)


def first_run(settings: Settings) -> list[str]:
    """Makes the demo's people and areas where there is nobody yet; the lines to show once; [] where somebody is."""
    with desk(settings, "server.people") as at:
        at.conn.execute("SELECT pg_advisory_xact_lock(7204160204)")
        if people.anybody(at.conn):
            return []
        areas.seed(at.conn)  # scopes need a tree
        lines = ["tài khoản trình diễn, mật khẩu chỉ hiện lần này / demo sign-ins, passwords shown this once:"]
        for login, name, role in PEOPLE:
            password = passwords.new_password()
            id = people.add(at.conn, login, name=name, password=hashing.hashed(password), demo=True)
            if role:
                people.grant(at.conn, id, parse_grant(role), by=at.actor.id)
            lines.append(f"  {login:<14} {password:<30} {role or 'citizen'}")
        at.note("demo", {"added": [login for login, _, _ in PEOPLE]})
    return lines
