"""Alarms as they stand, and the stream of everything that happens to them. docs/alarms.md.

A follower (the live hub, notifications) takes a snapshot and its position from ONE repeatable-read transaction:

    seq = alarms.position(conn); standing = alarms.current(conn)

and then `changes(conn, after=seq)` in order, woken by NOTIFY on CHANNEL. Each change holds the whole alarm after it, so
snapshot + changes = a fresh snapshot: put `change.alarm` in the place of the one of its id, drop it when it is normal.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from tram.alarms.model import Alarm, AlarmChange, Kind, Priority, State
from tram.errors import NotFoundError
from tram.store import sqlfile
from tram.store.database import Connection, available

__all__ = [
    "CHANNEL", "Alarm", "AlarmChange", "Kind", "Priority", "State", "by_id", "changes", "clocks", "current", "due",
    "get", "lock", "members", "open_at", "position", "reserve", "storms", "write",
]  # fmt: skip

CHANNEL = "tram_alarms"
"""NOTIFY channel; the payload is the seq of a change."""
MOST = 1_000_000


def position(conn: Connection) -> int:
    """The seq of the last change; 0 when nothing ever happened."""
    with available():
        row = conn.execute(sqlfile.load("alarms")["position"]).fetchone()
    assert row is not None
    return int(row[0])


def changes(conn: Connection, after: int, limit: int = 1000) -> list[AlarmChange]:
    """What happened behind `after`, in the order of commit, at most `limit`."""
    with available():
        rows = conn.execute(sqlfile.load("alarms")["changes"], (after, limit)).fetchall()
    return [change_of(*row) for row in rows]


def current(
    conn: Connection, *, things: Sequence[str] | None = None, areas: Sequence[str] | None = None,
    rules: Sequence[str] | None = None, least: Priority = Priority.LOW, after: int = 0, limit: int = MOST,
) -> list[Alarm]:  # fmt: skip
    """Alarms that are not normal, by id; storm entries and their members too.

    Args:
        things: names on the wire. areas: codes, exactly these. rules: ids. None: any.
        least: the lowest priority.
        after: the last id of the page before.
    """
    values = {
        "things": None if things is None else list(things), "areas": None if areas is None else list(areas),
        "rules": None if rules is None else list(rules), "least": int(least), "after": after, "limit": limit,
    }  # fmt: skip
    with available():
        rows = conn.execute(sqlfile.load("alarms")["current"], values).fetchall()
    return [alarm_of(*row) for row in rows]


def lock(conn: Connection) -> None:
    """Takes the stream's lock until the transaction ends. FIRST in whatever reads alarms to change them: it is what
    keeps a person and the engine from deciding on the same alarm at once, and from waiting for each other in a ring.
    """
    with available():
        conn.execute(sqlfile.load("alarms")["lock"])


def write(conn: Connection, changes: Sequence[AlarmChange]) -> list[AlarmChange]:
    """Stores changes in order, and the alarms as they stand after them; gives new ones (id 0) their ids. Never commits.

    Returns:
        The same, with their ids and seqs.
    """
    if not changes:
        return []
    queries = sqlfile.load("alarms")
    lock(conn)
    with available(), conn.cursor() as cursor:
        new = reserve(conn, sum(not change.alarm.id for change in changes))
        stored = [
            change if change.alarm.id else replace(change, alarm=replace(change.alarm, id=new.pop(0)))
            for change in changes
        ]
        # The last change of an alarm is what it is now; a storm entry stands before its members (the reference).
        last = {change.alarm.id: change.alarm for change in stored}
        cursor.executemany(
            queries["put"], [_columns(a) for a in sorted(last.values(), key=lambda a: (a.kind != "storm", a.id))]
        )
        rows = [(c.alarm.id, c.kind.value, msgspec.json.encode(c).decode()) for c in stored]
        cursor.executemany(queries["append"], rows, returning=True)
        seqs = []
        while True:
            row = cursor.fetchone()
            assert row is not None
            seqs.append(int(row[0]))
            if not cursor.nextset():
                break
    return [replace(change, seq=seq) for change, seq in zip(stored, seqs, strict=True)]


def reserve(conn: Connection, n: int) -> list[int]:
    """n ids for alarms to come, ascending."""
    if not n:
        return []
    with available():
        return sorted(int(row[0]) for row in conn.execute(sqlfile.load("alarms")["reserve"], (n,)))


def get(conn: Connection, id: int) -> Alarm:
    """One alarm, over or not. Raises NotFoundError."""
    found = by_id(conn, [id])
    if not found:
        raise NotFoundError(f"there is no alarm {id}")
    return found[0]


def by_id(conn: Connection, ids: Sequence[int]) -> list[Alarm]:
    """Those of these ids, by id."""
    with available():
        return [alarm_of(*row) for row in conn.execute(sqlfile.load("alarms")["by_id"], (list(ids),))]


def open_at(conn: Connection, points: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Alarm]:
    """The open alarms of these (rule, Thing id)."""
    with available():
        rows = conn.execute(
            sqlfile.load("alarms")["open_at"], ([rule for rule, _ in points], [thing for _, thing in points])
        ).fetchall()
    found = [alarm_of(*row) for row in rows]
    return {(alarm.rule, alarm.thing_id): alarm for alarm in found if alarm.thing_id is not None}


def members(conn: Connection, storms: Sequence[int]) -> list[Alarm]:
    """The open alarms that belong to these storm entries."""
    with available():
        return [alarm_of(*row) for row in conn.execute(sqlfile.load("alarms")["members"], (list(storms),))]


def storms(conn: Connection) -> list[Alarm]:
    """The open storm entries."""
    with available():
        return [alarm_of(*row) for row in conn.execute(sqlfile.load("alarms")["storms"])]


def clocks(conn: Connection, now: datetime, limit: int = 1000) -> list[Alarm]:
    """Alarms whose clock has something to do: a shelf that ends, an escalation."""
    with available():
        return [alarm_of(*row) for row in conn.execute(sqlfile.load("alarms")["clocks"], (now, limit))]


def due(alarm: Alarm) -> datetime | None:
    """When its clock next does something: the shelf ends, or the escalation goes on."""
    return alarm.shelved_until if alarm.state is State.SHELVED else alarm.escalate_at


def alarm_of(id: int, document: str) -> Alarm:
    """From a row."""
    return replace(msgspec.json.decode(document, type=Alarm), id=id)


def change_of(seq: int, at: datetime, document: str) -> AlarmChange:
    """From a row."""
    return replace(msgspec.json.decode(document, type=AlarmChange), seq=seq, at=at)


def _columns(alarm: Alarm) -> dict[str, object]:
    return {
        "id": alarm.id, "rule": alarm.rule, "thing_id": alarm.thing_id, "area": alarm.area, "state": alarm.state.value,
        "priority": int(alarm.priority), "raised": alarm.raised, "storm": alarm.storm, "due": due(alarm),
        "document": msgspec.json.encode(alarm).decode(),
    }  # fmt: skip
