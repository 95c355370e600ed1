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
from tram.store import sqlfile
from tram.store.database import Connection, available

__all__ = ["CHANNEL", "Alarm", "AlarmChange", "Kind", "Priority", "State", "changes", "current", "insert", "position",
           "update"]  # fmt: skip

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
    return [_change(*row) for row in rows]


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
    return [_alarm(*row) for row in rows]


def insert(conn: Connection, change: AlarmChange) -> AlarmChange:
    """Stores a new alarm and the change that made it; returns that with the alarm's id and its seq. Never commits.

    It holds the stream's lock until the transaction ends: call it late in it.
    """
    with available():
        row = conn.execute(sqlfile.load("alarms")["insert"], _columns(change.alarm)).fetchone()
    assert row is not None
    return update(conn, replace(change, alarm=replace(change.alarm, id=int(row[0]))))


def update(conn: Connection, change: AlarmChange) -> AlarmChange:
    """Stores what an alarm is after a change, and the change; returns it with its seq. Never commits."""
    queries = sqlfile.load("alarms")
    with available():
        conn.execute(queries["update"], _columns(change.alarm) | {"id": change.alarm.id})
        document = msgspec.json.encode(change).decode()
        row = conn.execute(queries["append"], (change.alarm.id, change.kind.value, document)).fetchone()
    assert row is not None
    return replace(change, seq=int(row[0]))


def _columns(alarm: Alarm) -> dict[str, object]:
    return {
        "rule": alarm.rule, "thing_id": alarm.thing_id, "area": alarm.area, "state": alarm.state.value,
        "priority": int(alarm.priority), "raised": alarm.raised, "storm": alarm.storm, "due": due(alarm),
        "document": msgspec.json.encode(alarm).decode(),
    }  # fmt: skip


def due(alarm: Alarm) -> datetime | None:
    """When its clock next does something: the shelf ends, or the escalation goes on."""
    return alarm.shelved_until if alarm.state is State.SHELVED else alarm.escalate_at


def _alarm(id: int, document: str) -> Alarm:
    # The row is inserted before its id is known; `update` follows at once, so this only guards a reader of half a pair.
    alarm = msgspec.json.decode(document, type=Alarm)
    return alarm if alarm.id else replace(alarm, id=id)


def _change(seq: int, at: datetime, document: str) -> AlarmChange:
    return replace(msgspec.json.decode(document, type=AlarmChange), seq=seq, at=at)
