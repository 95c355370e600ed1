"""Observations as a Parquet file (Apache Parquet, zstd), a row group at a time: see tram.store.export."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tram.store import sqlfile
from tram.store.database import Connection
from tram.store.registry import DatastreamRow
from tram.store.span import Span, arguments_of

ROWS = 100_000  # of a row group

_SCHEMA = pa.schema(
    [
        ("datastream", pa.int32()), ("thing", pa.dictionary(pa.int32(), pa.string())),
        ("property", pa.dictionary(pa.int32(), pa.string())), ("unit", pa.dictionary(pa.int32(), pa.string())),
        ("time", pa.timestamp("us", tz="UTC")), ("result", pa.float64()), ("value", pa.string()),
        ("quality", pa.int16()),
    ]
)  # fmt: skip


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


def pieces(conn: Connection, span: Span) -> Iterator[bytes]:
    """The file, a row group at a time. Names are dictionaries, times UTC microseconds, what is no number JSON text."""
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
            arguments = arguments_of(Span(span.datastreams, start, span.end), one) | {"limit": ROWS}
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
