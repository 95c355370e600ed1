"""What was observed: latest values, the newest rows of all, and the series of a Datastream."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from tram.clock import from_micros, to_micros
from tram.sensing import Micros, Observation
from tram.store import edition, sqlfile
from tram.store.batch import Batch
from tram.store.database import Connection, available
from tram.store.observations import EARLIEST, LATEST


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
    """The latest value of every Datastream of active Things (or of one Thing), by Datastream id.

    Datastreams that have none yet are left out. The next page is `after` the last id; fewer than `limit`: that was all.
    """
    arguments = {"after": after, "thing": thing_id, "limit": limit}
    with available(), conn.cursor(binary=True) as cursor:
        return [Value(*row) for row in cursor.execute(sqlfile.load("series")["latest"], arguments)]


def newest(conn: Connection, limit: int = 50) -> list[Value]:
    """The rows stored last across everything, newest commit first. Reads the committed stream's end, no scan.

    When nothing has been stored for as long as the stream is kept: the newest of the latest values.
    """
    with available(), conn.cursor(binary=True) as cursor:
        rows = cursor.execute(sqlfile.load("series")["newest_batches"], {"limit": limit}).fetchall()
        if not rows:
            return sorted(latest(conn), key=lambda value: value.time, reverse=True)[:limit]
        tails = [_tail(Batch.unpack(bytes(data)), limit) for (data,) in rows]
        ids = sorted({int(id) for tail in tails for id in tail.datastream_id})
        names: dict[int, tuple[str, str, str, str]] = {
            row[0]: (row[1], row[2], row[3], row[4]) for row in cursor.execute(sqlfile.load("series")["names"], (ids,))
        }
    values: list[Value] = []
    for tail in tails:
        columns = (tail.datastream_id, tail.phenomenon_time, tail.result, tail.quality)
        for row, (id, time, result, quality) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            if id in names:
                json = tail.result_json.get(row)
                value = None if json is None else msgspec.json.decode(json)
                number = result if np.isfinite(result) else None
                values.append(Value(id, *names[id], from_micros(time), number, value, quality))
    return values[:limit]


def _tail(batch: Batch, limit: int) -> Batch:
    """The rows of a batch with the newest times, newest first."""
    return batch.take(np.argsort(-batch.phenomenon_time, kind="stable")[:limit])


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
    first, last = start, end - 1
    if after is not None:
        first, last = (first, min(last, after - 1)) if newest_first else (max(first, after + 1), last)
    first, last = max(first, EARLIEST), min(last, LATEST)
    if first > last:
        return []
    arguments = {"datastream": datastream_id, "start": from_micros(first), "last": from_micros(last), "limit": limit}
    query = sqlfile.load("series")["backwards" if newest_first else "forwards"]
    with available(), conn.cursor(binary=True) as cursor:
        return [
            Observation(datastream_id, to_micros(time), result, quality, json, parameters)
            for time, result, quality, json, parameters in cursor.execute(query, arguments)
        ]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is. `observations` is the statistics' estimate; the others are exact.

    Attributes:
        things: active ones.
        last_minute: observations stored in the last minute.
    """

    things: int
    pending: int
    datastreams: int
    observations: int
    last_minute: int
    dead_letters: int


def counts(conn: Connection) -> Counts:
    """Cheap on every edition: no table is scanned but the bounded ones."""
    with available():
        row = conn.execute(sqlfile.load("series")["counts"]).fetchone()
        assert row is not None
        things, pending, datastreams, last_minute, dead_letters = row
        rows = edition.approximate_rows(conn, "observation")
    return Counts(things, pending, datastreams, rows, int(last_minute), dead_letters)
