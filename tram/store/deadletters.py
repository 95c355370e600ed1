"""Dead letters: what could not be read or stored, with its reason, for a person to look at. Bounded by `trim`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tram.sensing import Micros
from tram.store.database import Connection

PAYLOAD_KEPT = 16_384
"""Bytes of a payload that are kept; its whole size is noted."""


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
    raise NotImplementedError


def list_newest(
    conn: Connection, *, before: int | None = None, limit: int = 100, reason: str | None = None
) -> list[DeadLetterRow]:
    """Newest first. The next page is `before` the last id."""
    raise NotImplementedError


def get(conn: Connection, id: int) -> DeadLetterRow:
    """Raises NotFoundError."""
    raise NotImplementedError


def counts(conn: Connection) -> dict[str, int]:
    """How many are kept of each reason."""
    raise NotImplementedError


def trim(conn: Connection, keep: int, step: int = 10_000) -> int:
    """Deletes the oldest beyond `keep`, at most `step` of them; returns how many (call again while it is `step`).

    What went is counted in `dropped`. The worker calls it with settings.dead_letters. Never commits.
    """
    raise NotImplementedError


def dropped(conn: Connection) -> int:
    """How many were deleted because there were too many, ever."""
    raise NotImplementedError
