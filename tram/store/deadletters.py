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
    """A stored dead letter. `payload` holds at most PAYLOAD_KEPT of `payload_size` bytes.

    Attributes:
        asked, asked_by: when and by whom it was asked to be read once more; settled: when that was done.
        outcome: what came of it: `stored`, `held` (its Thing waits to be accepted), `still-bad`, `cut` (the payload was
            too long to be kept whole), `nothing` (it says nothing that is stored); empty before.
        stored: observations that were new.
    """

    id: int
    at: datetime
    received: datetime
    topic: str
    username: str
    reason: str
    detail: str
    payload: bytes
    payload_size: int
    asked: datetime | None
    asked_by: str
    settled: datetime | None
    outcome: str
    stored: int

    @property
    def whole(self) -> bool:
        """Whether all of the payload was kept, so that it can be read once more."""
        return len(self.payload) == self.payload_size


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


class Asked(NamedTuple):
    """What became of a wish to read letters once more: how many wait now, and how many were stored before."""

    waiting: int
    stored: int
    missing: int


def ask(conn: Connection, ids: Sequence[int], by: str) -> Asked:
    """Asks the gateway to read these letters once more. One that was stored is left alone. Never commits."""
    wanted = sorted(set(ids))
    queries = sqlfile.load("deadletters")
    with available():
        conn.execute(queries["ask"], {"ids": wanted, "by": storable_text(by)})
        row = conn.execute(queries["standing"], {"ids": wanted}).fetchone()
    assert row is not None
    there, stored, waiting = row
    return Asked(waiting, stored, len(wanted) - there)


def claim(conn: Connection) -> DeadLetterRow | None:
    """The oldest letter that was asked for, locked for this transaction; None: there is none."""
    with available(), conn.cursor(binary=True) as cursor:
        row = cursor.execute(sqlfile.load("deadletters")["claim"]).fetchone()
    return None if row is None else DeadLetterRow(*row)


def settle(conn: Connection, id: int, outcome: str, stored: int = 0, why: DeadLetter | None = None) -> None:
    """Says what came of it; `why` it is still bad. Never commits."""
    arguments = {
        "id": id, "outcome": outcome, "stored": stored,
        "reason": None if why is None else storable_text(why.reason[:_NAME]),
        "detail": None if why is None else storable_text(why.detail[:_DETAIL]),
    }  # fmt: skip
    with available():
        conn.execute(sqlfile.load("deadletters")["settle"], arguments)


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
