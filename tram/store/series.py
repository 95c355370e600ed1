"""What was observed: latest values, the newest rows of all, and the series of a Datastream."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tram.clock import from_micros, to_micros
from tram.sensing import Micros, Observation
from tram.store import edition, sqlfile, tail, wire
from tram.store.batch import Batch
from tram.store.database import Connection, Cursor, available
from tram.store.observations import EARLIEST, LATEST


class Value(msgspec.Struct, frozen=True, gc=False):
    """An Observation with the names that a person needs to read it; thousands are made at once."""

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

    From the table that the rollups keep, and what the committed stream has beyond it: true at once after every commit,
    late data, corrections and deletions too. While the worker is away, from `observation` itself.
    Datastreams that have none yet are left out. The next page is `after` the last id; fewer than `limit`: that was all.
    """
    queries = sqlfile.load("series")
    with available(), conn.cursor(binary=True) as cursor:
        behind = tail.read(cursor)
        if not behind.whole:
            arguments = {"after": after, "thing": thing_id, "limit": limit}
            return [Value(*row) for row in cursor.execute(queries["latest"], arguments)]
        found: list[Value] = []
        ids = sorted({id for one in behind.batches for id in np.unique(one.batch.datastream_id).tolist()})
        while len(found) < limit:
            page = {"after": after, "thing": thing_id, "limit": limit - len(found), "ids": ids}
            rows = cursor.execute(queries["latest_kept"], page).fetchall()
            found += _brought_up(cursor, rows, behind)
            if len(rows) < page["limit"]:  # type: ignore[operator]
                break
            after = rows[-1][0]
        return found


def latest_at(conn: Connection, at: datetime, *, after: int = 0, limit: int = 10_000) -> list[Value]:
    """The value that every Datastream of active Things had at a moment, as `latest`; from `observation` itself."""
    with available(), conn.cursor(binary=True) as cursor:
        arguments = {"at": at, "after": after, "limit": limit}
        return [Value(*row) for row in cursor.execute(sqlfile.load("series")["latest_at"], arguments)]


def _brought_up(cursor: Cursor, rows: list[tuple[Any, ...]], behind: tail.Tail) -> list[Value]:
    """Rows of `latest_kept` with what the stream has beyond them; those without any value are left out."""
    if not rows or not behind.batches:
        return [Value(*row[:9]) for row in rows if row[5] is not None]
    position = rows[0][9]
    batch, _ = behind.inserted(position)
    newest: dict[int, int] = {}
    if len(batch):
        order = np.lexsort((batch.phenomenon_time, batch.datastream_id))
        ids = batch.datastream_id[order]
        last = order[np.append(np.flatnonzero(ids[1:] != ids[:-1]), len(ids) - 1)]
        newest = dict(zip(batch.datastream_id[last].tolist(), last.tolist(), strict=True))
    changed = behind.changed(position)
    fresh: dict[int, tuple[Any, ...]] = {}
    if changed:
        asked = cursor.execute(sqlfile.load("series")["latest_of"], (sorted(changed),))
        fresh = {row[0]: row[1:] for row in asked}
    values = []
    for row in rows:
        id, held = row[0], row[5:9]
        if id in changed:
            held = fresh.get(id, (None,))
        elif id in newest:
            at = newest[id]
            time = from_micros(int(batch.phenomenon_time[at]))
            if held[0] is None or time > held[0]:
                json = batch.result_json.get(at)
                result = float(batch.result[at])
                number = result if np.isfinite(result) else None
                held = (time, number, None if json is None else msgspec.json.decode(json), int(batch.quality[at]))
        if held[0] is not None:
            values.append(Value(*row[:5], *held))
    return values


class Spans(NamedTuple):
    """First and last phenomenonTime of Datastreams, as columns of shape (n,): ids, which rise, and microseconds."""

    ids: NDArray[np.int32]
    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]


def extents(conn: Connection, ids: Sequence[int] | None = None) -> dict[int, tuple[datetime, datetime]]:
    """First and last phenomenonTime of these Datastreams (all when None); those without Observations are not in it."""
    rows = zip(*(column.tolist() for column in spans(conn, ids)), strict=True)
    return {id: (from_micros(first), from_micros(last)) for id, first, last in rows}


def spans(conn: Connection, ids: Sequence[int] | None = None) -> Spans:
    """The same as columns, for thousands. True at once, as `latest`."""
    queries = sqlfile.load("series")
    with available(), conn.cursor(binary=True) as cursor:
        behind = tail.read(cursor)
        if not behind.whole:
            wanted = list(ids) if ids is not None else [row[0] for row in cursor.execute(queries["datastream_ids"])]
            return _joined([_ask_spans(cursor, queries["extents_of"], wanted)])
        parts = [_ask_spans(cursor, queries["extents_kept"], ids)]
        if not behind.batches:
            return _joined(parts)
        batch, _ = behind.inserted()
        changed = behind.changed()
        parts.append(Spans(batch.datastream_id, batch.phenomenon_time, batch.phenomenon_time))
        if ids is not None:
            changed &= set(ids)
            parts[1] = _some(parts[1], np.isin(batch.datastream_id, ids))
        if changed:  # what was deleted may have been the first or the last
            some = sorted(changed)
            parts = [_some(part, ~np.isin(part.ids, some)) for part in parts]
            parts.append(_ask_spans(cursor, queries["extents_of"], some))
        return _joined(parts)


def _ask_spans(cursor: Cursor, query: LiteralString, ids: Sequence[int] | None) -> Spans:
    """Three arrays of one row: a tenth of the cost of as many rows."""
    result = cursor.execute(query, {"ids": None if ids is None else _array(ids)}).pgresult
    assert result is not None
    found = wire.read_array(result.get_value(0, 0), 4).astype(np.int32)
    times = [wire.from_postgres(wire.read_array(result.get_value(0, column), 8)) for column in (1, 2)]
    return Spans(found, *times)


def _some(spans: Spans, which: NDArray[np.bool_]) -> Spans:
    return Spans(spans.ids[which], spans.firsts[which], spans.lasts[which])


def _joined(parts: Sequence[Spans]) -> Spans:
    """By id; several of one become one: to count a row twice changes nothing."""
    ids, firsts, lasts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    if not len(starts):
        return Spans(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    first, last = np.minimum.reduceat(firsts[order], starts), np.maximum.reduceat(lasts[order], starts)
    return Spans(ids[order][starts], first, last)


def _array(ids: Iterable[int]) -> str:
    """PostgreSQL's text of an array: psycopg takes ten times as long for a list of thousands."""
    return "{" + ",".join(map(str, ids)) + "}"


def newest(conn: Connection, limit: int = 50) -> list[Value]:
    """The rows stored last across everything, newest commit first. Reads the committed stream's end, no scan.

    When nothing has been stored for as long as the stream is kept: the newest of the latest values.
    """
    with available(), conn.cursor(binary=True) as cursor:
        rows = cursor.execute(sqlfile.load("series")["newest_batches"], {"limit": limit}).fetchall()
        if not rows:
            return sorted(latest(conn), key=lambda value: value.time, reverse=True)[:limit]
        ends = [_tail(Batch.unpack(bytes(data)), limit) for (data,) in rows]
        ids = sorted({int(id) for end in ends for id in end.datastream_id})
        names: dict[int, tuple[str, str, str, str]] = {
            row[0]: (row[1], row[2], row[3], row[4]) for row in cursor.execute(sqlfile.load("series")["names"], (ids,))
        }
    values: list[Value] = []
    for end in ends:
        columns = (end.datastream_id, end.phenomenon_time, end.result, end.quality)
        for row, (id, time, result, quality) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            if id in names:
                json = end.result_json.get(row)
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
