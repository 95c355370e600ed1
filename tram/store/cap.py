"""CAP: which alarms the public is told of, and the documents that went out. Nothing here commits. docs/cap.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from tram.alarms.model import Alarm
from tram.cap import Alert, MsgType, write
from tram.cap.chain import Place, Rule, Said
from tram.errors import NotFoundError
from tram.store import sqlfile
from tram.store.database import Connection, available


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule, and who wrote it last."""

    rule: Rule
    changed: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as the feed lists it."""

    identifier: str
    kind: MsgType
    sent: datetime
    expires: datetime
    title: str
    summary: str
    area: str | None


def rules(conn: Connection) -> list[StoredRule]:
    """All, by id."""
    with available():
        rows = conn.execute(sqlfile.load("cap")["rules"]).fetchall()
    return [
        StoredRule(msgspec.convert({**document, "id": id}, Rule, strict=False), changed, by)
        for id, document, changed, by in rows
    ]


def put_rule(conn: Connection, rule: Rule, by: str) -> None:
    """Adds a rule or makes it what is given."""
    document = msgspec.json.encode(rule).decode()
    with available():
        conn.execute(sqlfile.load("cap")["put_rule"], (rule.id, document, by))


def remove_rule(conn: Connection, id: str) -> None:
    """Takes a rule away; what it said that still holds is cancelled by the publisher. Raises NotFoundError."""
    with available():
        if conn.execute(sqlfile.load("cap")["remove_rule"], (id,)).rowcount == 0:
            raise NotFoundError(f"there is no CAP rule {id!r}")


def chain(conn: Connection, alarm: int, rule: str) -> list[Said]:
    """What a rule has said of an alarm, oldest first."""
    with available():
        rows = conn.execute(sqlfile.load("cap")["chain"], (alarm, rule)).fetchall()
    return [Said(identifier, sent, MsgType(kind), level, expires) for identifier, sent, kind, level, expires in rows]


def add(conn: Connection, rule: str, alarm: Alarm, alert: Alert) -> None:
    """Stores a document; those before it in its chain are replaced by it."""
    queries = sqlfile.load("cap")
    first = alert.infos[0]
    values = {
        "identifier": alert.identifier, "rule": rule, "alarm_id": alarm.id, "kind": alert.kind.value,
        "level": alarm.level, "sent": alert.sent, "expires": first.expires, "title": first.headline,
        "summary": "\n".join(info.description for info in alert.infos), "area": alarm.area,
        "alarm": msgspec.json.encode(alarm).decode(), "document": write(alert),
    }  # fmt: skip
    with available():
        conn.execute(queries["replace"], (alarm.id, rule))
        conn.execute(queries["add"], values)


def to_renew(conn: Connection, before: datetime, limit: int) -> list[tuple[str, Alarm]]:
    """(rule, alarm as it is now) of documents that stand and run out before then."""
    return _alarms(conn, "to_renew", before, limit)


def abandoned(conn: Connection, limit: int) -> list[tuple[str, Alarm]]:
    """(rule, alarm as it is now) of documents that stand though their rule is gone."""
    return _alarms(conn, "abandoned", limit)


def newest(conn: Connection, limit: int) -> list[Listed]:
    """What holds now, newest first; what was cancelled within a day too."""
    with available():
        rows = conn.execute(sqlfile.load("cap")["newest"], (limit,)).fetchall()
    return [Listed(row[0], MsgType(row[1]), *row[2:]) for row in rows]


def document(conn: Connection, identifier: str) -> tuple[bytes, datetime]:
    """(XML, when it was sent). Raises NotFoundError."""
    with available():
        row = conn.execute(sqlfile.load("cap")["document"], (identifier,)).fetchone()
    if row is None:
        raise NotFoundError("there is no such document")
    return bytes(row[0]), row[1]


def place(conn: Connection, alarm: Alarm) -> Place:
    """Where an alarm is."""
    with available():
        row = conn.execute(sqlfile.load("cap")["place"], (alarm.area, alarm.thing_id)).fetchone()
    if row is None:
        return Place()
    name, name_en, code, geometry, longitude, latitude = row
    return Place(name or "", name_en or "", code or "", geometry, None if longitude is None else (longitude, latitude))


def trim(conn: Connection, before: datetime) -> int:
    """Deletes documents that were sent and ran out before then; returns how many."""
    with available():
        return conn.execute(sqlfile.load("cap")["trim"], (before, before)).rowcount


def _alarms(conn: Connection, query: str, *arguments: Any) -> list[tuple[str, Alarm]]:
    with available():
        rows: Sequence[Any] = conn.execute(sqlfile.load("cap")[query], arguments).fetchall()
    return [(rule, msgspec.json.decode(text, type=Alarm)) for rule, text in rows]
