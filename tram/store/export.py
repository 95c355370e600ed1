"""Observations as CSV, GeoJSON or Parquet, streamed: constant memory, however many there are.

Datastream by Datastream in order of time, each read along its index by one COPY, which the database sends as it reads.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from tram.errors import PayloadError
from tram.sensing import Location, Micros
from tram.store import registry, sqlfile
from tram.store.database import Connection, available
from tram.store.observations import EARLIEST, LATEST
from tram.store.registry import DatastreamRow
from tram.store.span import Span, arguments_of

Kind = Literal["csv", "geojson", "parquet"]
TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}
HEAD = "datastream,thing,property,unit,time,result,value,quality\n"
PIECE = 256 * 1024  # bytes handed on at once


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
        if kind == "parquet":
            from tram.store.parquet import pieces  # pyarrow takes 60 MB, which the others do without

            yield from pieces(conn, span)
        else:
            yield from (_csv if kind == "csv" else _geojson)(conn, span)


def _csv(conn: Connection, span: Span) -> Iterator[bytes]:
    waiting = bytearray(HEAD.encode())
    with conn.cursor() as cursor:
        for one in span.datastreams:
            arguments = arguments_of(span, one) | {"thing": one.thing, "property": one.property, "unit": one.unit}
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
        yield from cursor.execute(sqlfile.load("export")["rows"], arguments_of(span, one))
