"""The audit, its anchors, events, the wall, devices' credentials and signing keys in the real database."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.databases import Database
from tram.errors import NotFoundError
from tram.identity import (
    ANONYMOUS,
    Decision,
    Grant,
    Kind,
    Limit,
    Principal,
    Role,
    Scope,
    broker,
    decide,
    secrets,
    tokens,
)
from tram.identity.chain import Anchor
from tram.identity.scope import Target
from tram.store import audit, credentials, events, keys, wall
from tram.store.database import Connection

NOW = 1_800_000_000.0
MICROS = int(NOW) * 1_000_000
RING = secrets.Keyring((b"k" * 32,))
LAN = Principal(Kind.PERSON, "p:1", "lan", (Grant(Role.CITY_ADMIN),))


def written(conn: Connection, n: int = 5) -> None:
    for i in range(n):
        audit.write(
            conn, LAN, "people.manage", at=MICROS + i, target=f"p:{i}", why="city-admin", detail={"n": i, "chữ": "ă"}
        )


def tamper(conn: Connection, statement: str) -> None:
    """What somebody with all rights on the database does."""
    conn.execute("ALTER TABLE audit DISABLE TRIGGER USER")
    conn.execute(statement)  # type: ignore[arg-type]
    conn.execute("ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_change")


def test_an_untouched_audit_verifies_on_both_editions(database: Database, tmp_path: Path) -> None:
    conn = database.connect(autocommit=True)
    written(conn)
    file = tmp_path / "sub" / audit.ANCHORS
    assert audit.anchor(conn, file, MICROS) is not None
    assert audit.anchor(conn, file, MICROS + 1) is None, "nothing new, no new line"
    written(conn, 2)
    assert audit.anchor(conn, file, MICROS + 2) is not None
    assert [a.seq for a in audit.read_anchors(file)] == [5, 7]
    assert file.stat().st_mode & 0o777 == 0o600
    assert audit.verify(conn, audit.read_anchors(file)) == []


@pytest.mark.parametrize("statement", ["UPDATE audit SET why = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_audit_cannot_be_changed(one_database: Database, statement: str) -> None:
    conn = one_database.connect(autocommit=True)
    written(conn)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        conn.execute(statement)  # type: ignore[arg-type]
    conn.execute("SET session_replication_role = replica")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        ("UPDATE audit SET why = 'auditor' WHERE seq = 3", {"edited"}),
        ("UPDATE audit SET detail = '{\"n\":9}' WHERE seq = 3", {"edited"}),
        ("UPDATE audit SET at = at + interval '1 second' WHERE seq = 5", {"edited"}),
        ("UPDATE audit SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 3", {"edited", "relinked"}),
        ("DELETE FROM audit WHERE seq = 3", {"missing"}),
        ("DELETE FROM audit WHERE seq = 1", {"missing"}),
        ("DELETE FROM audit WHERE seq > 3", {"cut-off"}),
        ("DELETE FROM audit", {"cut-off"}),
    ],
)
def test_an_edited_deleted_or_cut_off_row_is_found(
    one_database: Database, tmp_path: Path, statement: str, kinds: set[str]
) -> None:
    conn = one_database.connect(autocommit=True)
    written(conn)
    audit.anchor(conn, tmp_path / "anchors", MICROS)
    tamper(conn, statement)
    assert {f.kind for f in audit.verify(conn, audit.read_anchors(tmp_path / "anchors"))} == kinds


def test_a_chain_made_anew_does_not_fit_its_anchor(one_database: Database, tmp_path: Path) -> None:
    conn = one_database.connect(autocommit=True)
    written(conn)
    audit.anchor(conn, tmp_path / "anchors", MICROS)
    tamper(conn, "DELETE FROM audit")
    for i in range(5):
        audit.write(conn, LAN, "people.manage", at=MICROS + i, target="p:0", why="forged")
    assert audit.verify(conn, []) == []
    assert {f.kind for f in audit.verify(conn, audit.read_anchors(tmp_path / "anchors"))} == {"relinked"}


def test_many_writers_make_one_chain(one_database: Database) -> None:
    conns = [one_database.connect() for _ in range(4)]

    def write(conn: Connection) -> None:
        for _ in range(10):
            with conn.transaction():
                written(conn, 1)

    threads = [threading.Thread(target=write, args=(c,)) for c in conns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    conn = one_database.connect()
    assert audit.head(conn)[0] == 40
    assert audit.verify(conn, []) == []


def test_an_effect_that_was_rolled_back_leaves_no_row(one_database: Database) -> None:
    conn = one_database.connect()
    written(conn)
    conn.rollback()
    assert audit.head(conn)[0] == 0


def test_odd_texts_survive_the_chain(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    odd = "nul \0, lone \ud800, dấu ệ, '; DROP TABLE audit; --" + "x" * 1000
    audit.write(conn, LAN, "x.y", at=MICROS, target=odd, detail={"k\0": odd, "n": [1, None, True]})
    assert audit.verify(conn, []) == []
    (row,) = audit.search(conn, audit.Search(actor="lan"))
    assert len(row.entry.target) == 500


def test_search_and_export(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    written(conn)
    audit.write(conn, ANONYMOUS, "session.open", at=MICROS, target="100%_x", outcome="refused")
    assert [r.entry.seq for r in audit.search(conn, audit.Search(), limit=2)] == [6, 5]
    assert [r.entry.seq for r in audit.search(conn, audit.Search(), before=5, limit=2)] == [4, 3]
    assert [r.entry.seq for r in audit.search(conn, audit.Search(outcome="refused"))] == [6]
    assert [r.entry.seq for r in audit.search(conn, audit.Search(target="%_"))] == [6]
    assert len(audit.search(conn, audit.Search(operation="people.manage", actor="p:1"))) == 5
    tomorrow = datetime.fromtimestamp(NOW, UTC) + timedelta(days=1)
    assert audit.search(conn, audit.Search(start=tomorrow)) == []
    lines = [json.dumps(audit.exported(row)) for row in audit.rows(conn)]
    again = [audit.imported(json.loads(line)) for line in lines]
    from tram.identity import chain

    assert list(chain.verify(again)) == []


def test_damaged_anchor_lines_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "anchors"
    file.write_bytes(b"1 " + b"00" * 32 + b" 5\nrubbish\n2 zz 5\n3 00 5\n\xff\xfe\n4 " + b"11" * 20)
    assert audit.read_anchors(file) == [Anchor(1, bytes(32), 5)]
    assert audit.read_anchors(tmp_path / "none") == []


def test_events_on_both_editions(database: Database) -> None:
    conn = database.connect(autocommit=True)
    for i in range(3):
        events.security(conn, "sign-in.failed", at=MICROS + i, subject="lan", origin="::1", detail={"n": i})
    events.add(conn, "plate", "seen", "info", at=MICROS, thing_id=7, area="05482")
    found = events.newest(conn, code="sign-in.failed")
    assert [e.detail["n"] for e in found] == [2, 1, 0]
    assert (found[0].severity, found[0].subject) == ("notice", "lan")
    assert [e.thing_id for e in events.newest(conn, "plate")] == [7]
    start = datetime.fromtimestamp(NOW - 60, UTC)
    assert events.counts(conn, start) == {"sign-in.failed": 3}
    with pytest.raises(KeyError):
        events.security(conn, "made-up", at=MICROS)
    assert events.trim(conn, start + timedelta(days=1)) == 4


NURSE = Principal(Kind.PERSON, "p:2", "hoa", (Grant(Role.STATION_STAFF, Scope(facilities=frozenset({"TYT-01"}))),))
DOCTOR = Principal(
    Kind.PERSON, "p:3", "minh", (Grant(Role.DOCTOR, Scope(facilities=frozenset({"BV-01"}))),), stepped_up=NOW
)


@pytest.fixture
def clinic(one_database: Database) -> Connection:
    """Three records of two stations, a note on each; the doctor is assigned to the second."""
    conn = one_database.connect(autocommit=True)
    conn.execute("CREATE TABLE clinical.note (record uuid NOT NULL REFERENCES clinical.record (id), words text)")
    conn.execute("SELECT clinical.protect('clinical.note')")
    for facility, assigned, words in (("TYT-01", [], "one"), ("TYT-01", ["p:3"], "two"), ("TYT-02", [], "three")):
        row = conn.execute(
            "INSERT INTO clinical.record (facility, assigned) VALUES (%s, %s) RETURNING id", (facility, assigned)
        ).fetchone()
        assert row is not None
        conn.execute("INSERT INTO clinical.note VALUES (%s, %s)", (row[0], words))
    return conn


def read(who: Principal) -> Decision:
    return decide(who, "record.read", None, now=NOW)


def seen(conn: Connection, decision: Decision) -> set[str]:
    with wall.behind(conn, decision):
        notes = {row[0] for row in conn.execute("SELECT words FROM clinical.note")}
        records = conn.execute("SELECT count(*) FROM clinical.record").fetchone()
    assert records == (len(notes),), "the record and what hangs on it are seen together"
    return notes


def test_a_query_without_a_where_sees_only_what_is_ones_own(clinic: Connection) -> None:
    assert seen(clinic, read(NURSE)) == {"one", "two"}
    assert seen(clinic, read(DOCTOR)) == {"two"}
    assert seen(clinic, read(ANONYMOUS)) == set()
    assert seen(clinic, read(LAN)) == set(), "a city admin has no clinical rule"
    unbounded = Principal(Kind.PERSON, "p:9", "x", (Grant(Role.STATION_STAFF),))
    assert seen(clinic, read(unbounded)) == set(), "the wall asks for names of facilities"
    narrowed = NURSE.narrowed(Limit(scope=Scope(facilities=frozenset({"TYT-02"}))))
    assert seen(clinic, read(narrowed)) == set()


def test_the_wall_cannot_be_climbed_from_behind(clinic: Connection) -> None:
    for statement in (
        "INSERT INTO clinical.record (facility) VALUES ('TYT-02')",
        "UPDATE clinical.record SET facility = 'TYT-02'",
        "INSERT INTO clinical.break_glass SELECT id, 'p:2', 'a good reason', now(), now() + interval '1 hour'"
        " FROM clinical.record",
        "DELETE FROM clinical.record",
        "SELECT * FROM account",
        "SELECT * FROM audit",
        "ALTER TABLE clinical.note DISABLE ROW LEVEL SECURITY",
        "SELECT clinical.protect('clinical.note')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), wall.behind(clinic, read(NURSE)):
            clinic.execute(statement)  # type: ignore[arg-type]
    with wall.behind(clinic, read(NURSE)):
        hidden = clinic.execute("UPDATE clinical.note SET words = 'x' WHERE words = 'three'")
        assert hidden.rowcount == 0
    row = clinic.execute("SELECT current_user, clinical.principal(), count(*) FROM clinical.note").fetchone()
    assert row is not None
    assert (row[0], row[1], row[2]) == (clinic.info.user, None, 3), "outside, all is as before"


def test_behind_the_wall_nested_and_after_an_error(clinic: Connection) -> None:
    with clinic.transaction():
        assert seen(clinic, read(NURSE)) == {"one", "two"}
        assert clinic.execute("SELECT count(*) FROM clinical.note").fetchone() == (3,)
        with pytest.raises(psycopg.errors.UndefinedTable), wall.behind(clinic, read(DOCTOR)):
            clinic.execute("SELECT * FROM clinical.nothing")
        assert clinic.execute("SELECT count(*) FROM clinical.note").fetchone() == (3,)
        with pytest.raises(RuntimeError), wall.behind(clinic, read(DOCTOR)):
            raise RuntimeError
        assert clinic.execute("SELECT current_user").fetchone() == (clinic.info.user,)


def test_without_the_wall_raised_the_role_sees_nothing(clinic: Connection) -> None:
    with clinic.transaction():
        clinic.execute("SET LOCAL ROLE tram_clinical")
        assert clinic.execute("SELECT count(*) FROM clinical.note").fetchone() == (0,)


def test_break_glass_lets_read_for_a_while_and_not_write(clinic: Connection) -> None:
    row = clinic.execute("SELECT record FROM clinical.note WHERE words = 'three'").fetchone()
    assert row is not None
    clinic.execute(
        "INSERT INTO clinical.break_glass VALUES (%s, 'p:3', 'ngừng tim, không gọi được', now(), now() + '1 hour')",
        row,
    )
    assert seen(clinic, read(DOCTOR)) == {"two", "three"}
    assert seen(clinic, read(NURSE)) == {"one", "two"}
    with wall.behind(clinic, read(DOCTOR)):
        assert clinic.execute("UPDATE clinical.note SET words = 'x' WHERE words = 'three'").rowcount == 0
        assert clinic.execute("UPDATE clinical.note SET words = 'two' WHERE words = 'two'").rowcount == 1
    clinic.execute(
        "UPDATE clinical.break_glass SET opened = now() - interval '2 hours', until = now() - interval '1 second'"
    )
    assert seen(clinic, read(DOCTOR)) == {"two"}


def test_credentials_rotate_with_two_good_at_once(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    first = credentials.issue(conn, "air-07", by="p:1", topics=["application/7/device/aa/#"])
    assert (first.user, first.number) == ("air-07", 1)
    second = credentials.rotate(conn, "air-07", by="p:1", now=NOW, overlap=60)
    assert second.user == "air-07~2"
    assert [u.name for u in credentials.in_force(conn, NOW + 59)] == ["air-07", "air-07~2"]
    assert [u.name for u in credentials.in_force(conn, NOW + 61)] == ["air-07~2"]
    assert "application/7/device/aa/#" in credentials.in_force(conn, NOW)[1].write, "its topics stay its own"
    assert credentials.check(conn, "air-07", first.password, NOW) == "air-07"
    assert credentials.check(conn, "air-07", first.password, NOW + 61) is None
    assert credentials.check(conn, "air-07~2", second.password, NOW + 61) == "air-07"
    for user, password in (("air-07~2", first.password), ("air-07~3", second.password), ("air-07~x", "y"), ("", "")):
        assert credentials.check(conn, user, password, NOW) is None
    assert credentials.revoke(conn, "air-07") == [1, 2]
    assert credentials.in_force(conn, NOW) == []
    with pytest.raises(NotFoundError):
        credentials.revoke(conn, "air-07")
    with pytest.raises(credentials.CredentialError):
        credentials.issue(conn, "air/#", by="p:1")
    with pytest.raises(credentials.CredentialError):
        credentials.issue(conn, "air-08", by="p:1", topics=["a\ntopic readwrite #"])
    assert {row.thing for row in credentials.listed(conn)} == {"air-07"}


def test_a_claim_code_is_good_once_and_for_a_time(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    code = credentials.new_claim(conn, "air-07", RING, by="p:1", now=NOW)
    assert credentials.claim(conn, "AAAA-AAAA-AAAA", RING, by="claim", now=NOW) is None
    issued = credentials.claim(conn, code.lower().replace("-", " "), RING, by="claim", now=NOW)
    assert issued is not None
    assert broker.fits(issued.password, credentials.in_force(conn, NOW)[0].hash)
    assert credentials.claim(conn, code, RING, by="claim", now=NOW) is None
    late = credentials.new_claim(conn, "air-07", RING, by="p:1", now=NOW, lifetime=10)
    assert credentials.claim(conn, late, RING, by="claim", now=NOW + 11) is None
    credentials.sweep_claims(conn)


def test_signing_keys_are_made_ahead_and_overlap(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    assert keys.rotate(conn, RING, NOW)
    assert not keys.rotate(conn, RING, NOW + 60)
    (first,) = keys.load(conn, RING, NOW)
    token = tokens.sign(first, typ="x+jwt", issuer="tram", subject="p:1", audience="a", id="1", now=NOW, lifetime=60)
    public = keys.load(conn, None, NOW)
    assert tokens.verify(token, public, typ="x+jwt", issuer="tram", audience="a", now=NOW).subject == "p:1"
    with pytest.raises(tokens.TokenError):
        tokens.signer(public, NOW)
    near = NOW + keys.SIGNS - 3600
    assert keys.rotate(conn, RING, near)
    both = keys.load(conn, RING, near)
    assert len(both) == 2
    assert tokens.signer(both, near).kid == first.kid
    assert tokens.signer(both, NOW + keys.SIGNS - 1).kid != first.kid, "no gap between the two"
    after = NOW + keys.SIGNS + 1
    keys.rotate(conn, RING, after)
    assert [k.kid for k in keys.load(conn, RING, after) if k.key.is_private] == [both[1].kid]
    assert keys.stop(conn, after) == 2
    assert keys.load(conn, RING, after) == []
    assert keys.rotate(conn, RING, after + 1)
    assert tokens.signer(keys.load(conn, RING, after + 1), after + 1).kid not in {k.kid for k in both}


def test_sealed_keys_do_not_open_with_another_server_key(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    keys.rotate(conn, RING, NOW)
    with pytest.raises(secrets.OpeningError):
        keys.load(conn, secrets.Keyring((b"z" * 32,)), NOW)
    row = conn.execute("SELECT public::text FROM signing_key").fetchone()
    assert row is not None
    assert '"d"' not in row[0]


def test_an_auditors_decision_names_the_rule() -> None:
    auditor = Principal(Kind.PERSON, "p:7", "tra", (Grant(Role.AUDITOR),))
    assert decide(auditor, "audit.read", Target(), now=NOW).why == "auditor"
