"""Observations as CSV, GeoJSON or Parquet, streamed: constant memory, however many there are.

Datastream by Datastream in order of time, each read along its index by one COPY, which the database sends as it reads.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tram.errors import PayloadError
from tram.sensing import Location, Micros
from tram.store import registry, sqlfile
from tram.store.database import Connection, available
from tram.store.observations import EARLIEST, LATEST
from tram.store.registry import DatastreamRow
from tram.store.wire import timestamps

Kind = Literal["csv", "geojson", "parquet"]
TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}
HEAD = "datastream,thing,property,unit,time,result,value,quality\n"
PIECE = 256 * 1024  # bytes handed on at once
ROWS = 100_000  # of a Parquet row group

_SCHEMA = pa.schema(
    [
        ("datastream", pa.int32()), ("thing", pa.dictionary(pa.int32(), pa.string())),
        ("property", pa.dictionary(pa.int32(), pa.string())), ("unit", pa.dictionary(pa.int32(), pa.string())),
        ("time", pa.timestamp("us", tz="UTC")), ("result", pa.float64()), ("value", pa.string()),
        ("quality", pa.int16()),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """What is taken out: start <= phenomenonTime < end of these Datastreams."""

    datastreams: Sequence[DatastreamRow]
    start: Micros
    end: Micros


def select(
    conn: Connection, *, ids: Sequence[int] | None = None, thing: str | None = None, property: str | None = None,
    start: Micros | None = None, end: Micros | None = None,
) -> Span:  # fmt: skip
    """The Datastreams that all given conditions name, and the time."""
    rows = list(registry.get_datastreams(conn, ids).values()) if ids is not None else _all(conn)
    found = [r for r in rows if (thing is None or r.thing == thing) and (property is None or r.property == property)]
    first = EARLIEST if start is None else max(start, EARLIEST)
    return Span(sorted(found, key=lambda row: row.id), first, LATEST + 1 if end is None else min(end, LATEST + 1))


def _all(conn: Connection) -> list[DatastreamRow]:
    found: list[DatastreamRow] = []
    while page := registry.list_datastreams(conn, after=found[-1].id if found else 0, limit=10_000):
        found += page
    return found


def stream(conn: Connection, span: Span, kind: str) -> Iterator[bytes]:
    """The file, piece by piece. The connection is in a transaction for as long as it lasts.

    Raises:
        PayloadError: no such kind.
        UnavailableError: the database went away: the file is cut.
    """
    if kind not in TYPES:
        raise PayloadError(f"{kind!r} is no kind: csv, geojson or parquet", code="kind")
    with available():
        # A file of years takes longer than a query may; who reads too slowly is cut by the server's own timeouts.
        conn.execute("SET LOCAL statement_timeout = 0")
        yield from {"csv": _csv, "geojson": _geojson, "parquet": _parquet}[kind](conn, span)


def _csv(conn: Connection, span: Span) -> Iterator[bytes]:
    waiting = bytearray(HEAD.encode())
    with conn.cursor() as cursor:
        for one in span.datastreams:
            arguments = _arguments(span, one) | {"thing": one.thing, "property": one.property, "unit": one.unit}
            with cursor.copy(sqlfile.load("export")["csv"], arguments) as copy:
                for block in copy:
                    waiting += block
                    if len(waiting) >= PIECE:
                        yield bytes(waiting)
                        waiting.clear()
    yield bytes(waiting)


def _geojson(conn: Connection, span: Span) -> Iterator[bytes]:
    """A Feature an Observation, where the Thing stands now; geometry null where that is unknown (RFC 7946, 3.2)."""
    waiting = bytearray(b'{"type":"FeatureCollection","features":[')
    places: dict[int, Location | None] = {}
    first = True
    for one in span.datastreams:
        if one.thing_id not in places:
            places[one.thing_id] = registry.get_thing(conn, one.thing_id).location
        place = places[one.thing_id]
        geometry = msgspec.json.encode(place.geojson() if place else None)
        names = msgspec.json.encode({"datastream": one.id, "thing": one.thing, "property": one.property,
                                     "unit": one.unit})[:-1]  # fmt: skip
        head = b'{"type":"Feature","geometry":' + geometry + b',"properties":' + names
        for time, result, quality, value in _rows(conn, span, one):
            more = msgspec.json.encode({"time": time, "result": result, "value": value, "quality": quality})
            waiting += (b"" if first else b",\n") + head + b"," + more[1:] + b"}"
            first = False
            if len(waiting) >= PIECE:
                yield bytes(waiting)
                waiting.clear()
    yield bytes(waiting) + b"]}"


def _rows(conn: Connection, span: Span, one: DatastreamRow) -> Iterator[tuple[datetime, float | None, int, Any]]:
    with conn.cursor(name="tram_export", binary=True) as cursor:
        cursor.itersize = 5_000
        yield from cursor.execute(sqlfile.load("export")["rows"], _arguments(span, one))


class _Pipe(io.RawIOBase):
    """What pyarrow writes, to be taken away in pieces."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self._place = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.waiting += data
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        return self._place

    def take(self) -> bytes:
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken


def _parquet(conn: Connection, span: Span) -> Iterator[bytes]:
    pipe = _Pipe()
    with pq.ParquetWriter(pipe, _SCHEMA, compression="zstd") as writer:
        group: list[pa.RecordBatch] = []
        rows = 0
        for one in span.datastreams:
            for batch in _record_batches(conn, span, one):
                group.append(batch)
                rows += len(batch)
                if rows >= ROWS:
                    writer.write_table(pa.Table.from_batches(group).unify_dictionaries())
                    group, rows = [], 0
                    yield pipe.take()
        if group:
            writer.write_table(pa.Table.from_batches(group).unify_dictionaries())
    yield pipe.take()


def _record_batches(conn: Connection, span: Span, one: DatastreamRow) -> Iterator[pa.RecordBatch]:
    start = span.start
    with conn.cursor(binary=True) as cursor:
        while True:
            arguments = _arguments(Span(span.datastreams, start, span.end), one) | {"limit": ROWS}
            found = cursor.execute(sqlfile.load("export")["page"], arguments).fetchall()
            if found:
                times, results, quality, values = zip(*found, strict=True)
                n = len(found)
                names = [
                    pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), pa.array([text]))
                    for text in (one.thing, one.property, one.unit)
                ]
                columns = [
                    pa.array([one.id] * n, pa.int32()), *names, pa.array(times, pa.timestamp("us", tz="UTC")),
                    pa.array(results, pa.float64()), pa.array(values, pa.string()), pa.array(quality, pa.int16()),
                ]  # fmt: skip
                yield pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)
            if len(found) < ROWS:
                return
            start = int(found[-1][0]) + 1


def _arguments(span: Span, one: DatastreamRow) -> dict[str, Any]:
    start, last = timestamps(np.array([span.start, max(span.end - 1, EARLIEST)]))
    if span.end <= span.start:
        start, last = "infinity", "-infinity"
    return {"id": one.id, "start": start, "last": last}
