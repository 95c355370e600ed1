"""What was observed: latest values, the newest rows of all, and the series of a Datastream."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tram.sensing import Micros, Observation
from tram.store.database import Connection


@dataclass(frozen=True, slots=True)
class Value:
    """An Observation with the names that a person needs to read it."""

    datastream_id: int
    thing: str
    thing_label: str
    property: str
    unit: str
    time: datetime
    result: float | None
    result_json: Any
    quality: int


def latest(conn: Connection, *, thing_id: int | None = None, after: int = 0, limit: int = 10_000) -> list[Value]:
    """The latest value of every Datastream of active Things (or of one Thing), by Datastream id; page `after` the last.

    Datastreams that have none yet are left out, so a page may be short: it is the last only when it is empty.
    """
    raise NotImplementedError


def newest(conn: Connection, limit: int = 50) -> list[Value]:
    """The rows stored last across everything, newest commit first. Reads the committed stream's end, no scan."""
    raise NotImplementedError


def series(
    conn: Connection,
    datastream_id: int,
    start: Micros,
    end: Micros,
    *,
    limit: int = 10_000,
    after: Micros | None = None,
    newest_first: bool = False,
) -> list[Observation]:
    """Observations with start <= phenomenonTime < end, in order of time; the next page starts `after` the last time."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is. `observations` is the statistics' estimate; `last_minute` is exact (committed rows)."""

    things: int
    pending: int
    datastreams: int
    observations: int
    last_minute: int
    dead_letters: int


def counts(conn: Connection) -> Counts:
    """Cheap on every edition: no table is scanned but the small ones."""
    raise NotImplementedError
