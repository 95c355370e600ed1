"""The demo's people: one of every role, with random passwords that are shown once. Production refuses them."""

import csv
import importlib.util
from pathlib import Path

from tram.commands._identity import desk
from tram.identity import hashing, passwords
from tram.identity.claims import parse_grant
from tram.settings import Settings
from tram.store import people
from tram.store.database import Connection

PROVINCE = ("19", "Thái Nguyên", "Thái Nguyên province")
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
        _areas(at.conn)
        lines = ["tài khoản trình diễn, mật khẩu chỉ hiện lần này / demo sign-ins, passwords shown this once:"]
        for login, name, role in PEOPLE:
            password = passwords.new_password()
            id = people.add(at.conn, login, name=name, password=hashing.hashed(password), demo=True)
            if role:
                people.grant(at.conn, id, parse_grant(role), by=at.actor.id)
            lines.append(f"  {login:<14} {password:<30} {role or 'citizen'}")
        at.note("demo", {"added": [login for login, _, _ in PEOPLE]})
    return lines


def _areas(conn: Connection) -> None:
    """The province's communes, where no areas were imported yet, so that scopes have a tree."""
    row = conn.execute("SELECT EXISTS (SELECT FROM area)").fetchone()
    spec = importlib.util.find_spec("devices")  # found, not imported: a command imports no plane
    if (row and row[0]) or spec is None or not spec.submodule_search_locations:
        return
    file = Path(next(iter(spec.submodule_search_locations)), "simulators", "communes.csv")
    if not file.is_file():
        return
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    add = "INSERT INTO area (id, name, name_en, kind, parent) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING"
    conn.execute(add, (*PROVINCE, "Tỉnh", None))
    for commune in csv.DictReader(lines):
        name = f"{commune['kind']} {commune['name']}"
        conn.execute(add, (commune["code"], name, commune["name"], commune["kind"], PROVINCE[0]))
