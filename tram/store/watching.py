"""Messages that people look at as they come: asked for, for a few minutes; kept by the gateway, few, for an hour.

Nothing of a device is kept unless somebody asked for it: docs/adr/0035-messages-on-demand.md.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tram.clock import from_micros
from tram.errors import PayloadError
from tram.readings import Message
from tram.store import sqlfile
from tram.store.batch import storable_text
from tram.store.database import Connection, available
from tram.store.deadletters import PAYLOAD_KEPT

SECONDS = 300.0
"""How long messages of a Thing are kept after somebody asked."""
KEPT = 20
"""Messages of one Thing."""
MOST_THINGS = 100
"""Things that are looked at at a time, by everybody together."""


class Watched(NamedTuple):
    """A message as it came: the first PAYLOAD_KEPT of `size` bytes."""

    received: datetime
    topic: str
    payload: bytes
    size: int


def ask(conn: Connection, thing_id: int, by: str) -> datetime:
    """Has messages of a Thing kept; returns until when. Asking again makes it longer. Never commits.

    Raises:
        PayloadError: MOST_THINGS others are looked at already.
    """
    queries = sqlfile.load("watching")
    with available():
        row = conn.execute(queries["count"], (thing_id,)).fetchone()
        if row is not None and row[0] >= MOST_THINGS:
            detail = f"{MOST_THINGS} devices are looked at already: try again in {SECONDS / 60:g} minutes"
            raise PayloadError(detail, code="too-many")
        row = conn.execute(queries["ask"], {"thing": thing_id, "seconds": SECONDS, "by": storable_text(by)}).fetchone()
    assert row is not None
    until: datetime = row[0]
    return until


def until(conn: Connection, thing_id: int) -> datetime | None:
    """Until when messages of a Thing are kept; None: they are not."""
    with available():
        row = conn.execute(sqlfile.load("watching")["until"], (thing_id,)).fetchone()
    return None if row is None else row[0]


def watched(conn: Connection) -> dict[str, int]:
    """Names and ids of the Things that are looked at."""
    with available():
        return {name: id for id, name in conn.execute(sqlfile.load("watching")["watched"])}


def keep(conn: Connection, messages: Sequence[tuple[int, Message]]) -> None:
    """Keeps messages of Things by id, and of each Thing the newest KEPT. Never commits."""
    queries = sqlfile.load("watching")
    with available():
        arguments = {
            "things": [thing for thing, _ in messages],
            "received": [from_micros(m.received) for _, m in messages],
            "topics": [storable_text(m.topic[:1024]) for _, m in messages],
            "payloads": [m.payload[:PAYLOAD_KEPT] for _, m in messages],
            "sizes": [len(m.payload) for _, m in messages],
        }
        with conn.cursor(binary=True) as cursor:
            cursor.execute(queries["keep"], arguments)
        conn.execute(queries["drop_oldest"], {"things": sorted({t for t, _ in messages}), "keep": KEPT})


def newest(conn: Connection, thing_id: int, limit: int = KEPT) -> list[Watched]:
    """What there is to look at, newest first; of a Thing that waits to be accepted, what waits with it."""
    arguments = {"thing": thing_id, "limit": limit, "most": PAYLOAD_KEPT}
    with available(), conn.cursor(binary=True) as cursor:
        rows = cursor.execute(sqlfile.load("watching")["newest"], arguments).fetchall()
    return [Watched(received, topic, bytes(payload), size) for received, topic, payload, size in rows]


def forget(conn: Connection) -> int:
    """Deletes messages older than an hour; returns how many. The worker calls it."""
    with available():
        return conn.execute(sqlfile.load("watching")["forget"]).rowcount
