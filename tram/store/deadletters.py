"""Dead letters: what could not be read or stored, with its reason, for a person to look at. Bounded by `trim`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tram.clock import from_micros
from tram.errors import NotFoundError
from tram.sensing import Micros
from tram.store import sqlfile
from tram.store.batch import storable_text
from tram.store.database import Connection, available

PAYLOAD_KEPT = 16_384
"""Bytes of a payload that are kept; its whole size is noted."""

# Characters of the texts that are kept.
_TOPIC, _NAME, _DETAIL = 1024, 255, 1000


class DeadLetter(NamedTuple):
    """A message, or a part of one, that was not stored. `reason` is a stable code, `detail` says it to a person."""

    topic: str
    reason: str
    detail: str
    payload: bytes
    received: Micros
    username: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A stored dead letter. `payload` holds at most PAYLOAD_KEPT of `payload_size` bytes."""

    id: int
    at: datetime
    received: datetime
    topic: str
    username: str
    reason: str
    detail: str
    payload: bytes
    payload_size: int


def insert(conn: Connection, letters: Sequence[DeadLetter]) -> None:
    """Stores them in one COPY. Texts are made storable (no NUL) and cut to their bounds. Never commits."""
    if not letters:
        return
    with available(), conn.cursor() as cursor, cursor.copy(sqlfile.load("deadletters")["copy"]) as copy:
        copy.set_types(["timestamptz", "text", "text", "text", "text", "bytea", "int4"])
        for letter in letters:
            copy.write_row(
                (
                    from_micros(letter.received),
                    storable_text(letter.topic[:_TOPIC]),
                    storable_text(letter.username[:_NAME]),
                    storable_text(letter.reason[:_NAME]),
                    storable_text(letter.detail[:_DETAIL]),
                    letter.payload[:PAYLOAD_KEPT],
                    len(letter.payload),
                )
            )


def list_newest(
    conn: Connection, *, before: int | None = None, limit: int = 100, reason: str | None = None
) -> list[DeadLetterRow]:
    """Newest first. The next page is `before` the last id."""
    arguments = {"before": before, "reason": None if reason is None else storable_text(reason), "limit": limit}
    with available(), conn.cursor(binary=True) as cursor:
        return [DeadLetterRow(*row) for row in cursor.execute(sqlfile.load("deadletters")["newest"], arguments)]


def get(conn: Connection, id: int) -> DeadLetterRow:
    """Raises NotFoundError."""
    with available(), conn.cursor(binary=True) as cursor:
        row = cursor.execute(sqlfile.load("deadletters")["get"], (id,)).fetchone() if abs(id) < 2**63 else None
    if row is None:
        raise NotFoundError(f"there is no dead letter {id}")
    return DeadLetterRow(*row)


def counts(conn: Connection) -> dict[str, int]:
    """How many are kept of each reason."""
    with available():
        return dict(conn.execute(sqlfile.load("deadletters")["counts"]).fetchall())


def trim(conn: Connection, keep: int, step: int = 10_000) -> int:
    """Deletes the oldest beyond `keep`, at most `step` of them; returns how many (call again while it is `step`).

    What went is counted in `dropped`. The worker calls it with settings.dead_letters. Never commits.
    """
    with available():
        row = conn.execute(sqlfile.load("deadletters")["trim"], {"keep": keep, "step": step}).fetchone()
    assert row is not None
    return int(row[0])


def dropped(conn: Connection) -> int:
    """How many were deleted because there were too many, ever."""
    with available():
        row = conn.execute(sqlfile.load("deadletters")["dropped"]).fetchone()
    assert row is not None
    return int(row[0])
