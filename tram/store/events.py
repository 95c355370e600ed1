"""Things that happen and are no number over time: security events now; a plate seen, a door opened, as services come.

One table, a hypertable where there is TimescaleDB. `kind` says whose catalogue a `code` is of. Nothing here commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tram.clock import from_micros
from tram.identity.events import CATALOGUE, KIND
from tram.store import sqlfile
from tram.store.batch import encode_json, storable_text
from tram.store.database import Connection, available


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        at: when.
        kind, code: what: `security`, `sign-in.failed`.
        severity: info, notice, warning or alert.
        subject: who or what it is about: `p:12`, `d:air-07`, a sign-in name that was tried.
        origin: where from: an address, a topic.
        thing_id, area: where that is known.
        detail: more; never a secret, never a patient's data.
    """

    at: datetime
    kind: str
    code: str
    severity: str
    subject: str
    origin: str
    thing_id: int | None
    area: str | None
    detail: Mapping[str, Any]


def security(
    conn: Connection, code: str, *, at: int, subject: str = "", origin: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Records a security event. `code` is of tram.identity.events (else KeyError); `at` in microseconds since 1970."""
    severity = CATALOGUE[code].severity
    add(conn, KIND, code, severity, at=at, subject=subject, origin=origin, detail=detail)


def add(
    conn: Connection, kind: str, code: str, severity: str, *, at: int, subject: str = "", origin: str = "",
    thing_id: int | None = None, area: str | None = None, detail: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Records any event."""
    values = {
        "at": from_micros(at), "kind": kind, "code": code, "severity": severity, "thing_id": thing_id, "area": area,
        "subject": storable_text(subject)[:300], "origin": storable_text(origin)[:300],
        "detail": encode_json(dict(detail or {})).decode(),
    }  # fmt: skip
    with available():
        conn.execute(sqlfile.load("oversight")["event_add"], values)


def newest(
    conn: Connection, kind: str = KIND, *, code: str = "", subject: str = "", before: datetime | None = None,
    since: datetime | None = None, limit: int = 100,
) -> list[Event]:  # fmt: skip
    """Newest first. The next page is `before` the last one's time."""
    values = {"kind": kind, "code": code, "subject": subject, "before": before, "since": since, "limit": limit}
    with available():
        rows = conn.execute(sqlfile.load("oversight")["event_newest"], values).fetchall()
    return [Event(*row) for row in rows]


def counts(conn: Connection, since: datetime, kind: str = KIND) -> dict[str, int]:
    """How many of each code since then."""
    with available():
        return dict(conn.execute(sqlfile.load("oversight")["event_counts"], {"kind": kind, "since": since}).fetchall())


def trim(conn: Connection, before: datetime) -> int:
    """Deletes what is older; returns how many. The worker calls it."""
    with available():
        return conn.execute(sqlfile.load("oversight")["event_trim"], {"before": before}).rowcount
