"""Observations in PostgreSQL's binary COPY format (protocol documentation, COPY, "Binary Format").

    head     "PGCOPY\\n" FF 0D 0A 00, flags i32, length of extension i32
    a row    number of fields i16, then each field as length i32 (-1: NULL) and bytes; big-endian
    trailer  i16 = -1

Rows of the usual kind (a number, no JSON) have all the same length, so they are one numpy structured array: no Python
runs per row. The few others are packed one by one.
"""

import struct
from collections.abc import Iterator
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray

from tram.clock import from_micros
from tram.store.batch import Batch
from tram.store.database import Cursor

PLAIN_COLUMNS = "phenomenon_time, datastream_id, quality, result"
ALL_COLUMNS = f"{PLAIN_COLUMNS}, result_json, parameters, extra"

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH = np.int64(946_684_800_000_000)  # timestamptz counts from 2000-01-01T00:00:00Z
_YEAR_1 = -62_135_596_800_000_000
_CYCLE = 146_097 * 86_400_000_000
_NULL = struct.pack(">i", -1)
_JSONB_VERSION = b"\x01"
_ROW_START = struct.Struct(">hiqiiih")  # fields, then time, id and quality with their lengths
_FLOAT = struct.Struct(">id")
_LENGTH = struct.Struct(">i")

_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l_time", ">i4"), ("time", ">i8"),
        ("l_id", ">i4"), ("id", ">i4"),
        ("l_quality", ">i4"), ("quality", ">i2"),
        ("l_result", ">i4"), ("result", ">f8"),
    ]
)  # fmt: skip
_TEMPLATE = np.zeros((), _ROW)
for _name, _value in (("fields", 4), ("l_time", 8), ("l_id", 4), ("l_quality", 2), ("l_result", 8)):
    _TEMPLATE[_name] = _value

# The usual row with parameters: then the length and the bytes of these, then `extra`, which is NULL.
_TOLD = np.dtype([*_ROW.descr, ("l_json", ">i4"), ("l_told", ">i4"), ("version", "u1")])
_TOLD_TEMPLATE = np.zeros((), _TOLD)
for _name, _value in (("fields", 7), ("l_time", 8), ("l_id", 4), ("l_quality", 2), ("l_result", 8), ("l_json", -1)):
    _TOLD_TEMPLATE[_name] = _value
_TOLD_TEMPLATE["version"] = 1

# int4[] and timestamptz[] as the server sends them: dimensions, has-null, element oid, length, lower bound; elements.
_ARRAY_HEAD = 20
_FLOATS = np.dtype([("length", ">i4"), ("value", ">f8")])
_ARRAYS = {4: np.dtype([("length", ">i4"), ("value", ">i4")]), 8: np.dtype([("length", ">i4"), ("value", ">i8")])}


def split(batch: Batch) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the rows that are plain numbers, and of those that are not."""
    plain = np.isfinite(batch.result)
    if batch.result_json or batch.parameters or batch.extra:
        plain[[*batch.result_json, *batch.parameters, *batch.extra]] = False
    return np.flatnonzero(plain), np.flatnonzero(~plain)


def plain_rows(batch: Batch) -> bytes:
    """A whole COPY stream of PLAIN_COLUMNS; every row must be a plain number."""
    return b"".join((_HEAD, _filled(_TEMPLATE, batch).data, _TRAILER))


def _filled(template: NDArray[Any], batch: Batch) -> NDArray[Any]:
    rows = np.full(len(batch), template)
    np.subtract(batch.phenomenon_time, _POSTGRES_EPOCH, out=rows["time"], casting="unsafe")
    rows["id"] = batch.datastream_id
    rows["quality"] = batch.quality
    rows["result"] = batch.result
    return rows


def _told_rows(batch: Batch) -> bytes:
    told = [batch.parameters[row] for row in range(len(batch))]
    rows = _filled(_TOLD_TEMPLATE, batch)
    rows["l_told"] = np.fromiter(map(len, told), np.int32, len(told)) + 1
    parts = [_NULL] * (3 * len(told))
    parts[0::3] = rows.view(f"V{_TOLD.itemsize}").tolist()
    parts[1::3] = told
    return b"".join((_HEAD, *parts, _TRAILER))


def all_rows(batch: Batch) -> bytes:
    """A whole COPY stream of ALL_COLUMNS, for any rows."""
    others = batch.result_json or batch.extra or not np.isfinite(batch.result).all()
    if not others and len(batch.parameters) == len(batch) > 0:
        return _told_rows(batch)  # what is computed: numbers, each with how it came about
    parts = [_HEAD]
    times = (batch.phenomenon_time - _POSTGRES_EPOCH).tolist()
    finite = np.isfinite(batch.result).tolist()
    columns = zip(times, batch.datastream_id.tolist(), batch.quality.tolist(), batch.result.tolist(), strict=True)
    for row, (time, id, quality, result) in enumerate(columns):
        parts.append(_ROW_START.pack(7, 8, time, 4, id, 2, quality))
        parts.append(_FLOAT.pack(8, result) if finite[row] else _NULL)
        for column in (batch.result_json, batch.parameters, batch.extra):
            data = column.get(row)
            if data is None:
                parts.append(_NULL)
            else:
                parts += (_LENGTH.pack(len(data) + 1), _JSONB_VERSION, data)
    parts.append(_TRAILER)
    return b"".join(parts)


def read_array(data: bytes | None, width: int) -> NDArray[np.int64]:
    """A one-dimensional binary array without NULLs, of int4 (width 4) or int8 and timestamptz (8); None is empty.

    Timestamps come as microseconds since 2000: `from_postgres` shifts them.
    """
    if not data or len(data) <= _ARRAY_HEAD:
        return np.zeros(0, np.int64)
    return np.frombuffer(data, _ARRAYS[width], offset=_ARRAY_HEAD)["value"].astype(np.int64)


def read_floats(data: bytes | None) -> NDArray[np.float64]:
    """A one-dimensional binary float8[] without NULLs; None is empty."""
    if not data or len(data) <= _ARRAY_HEAD:
        return np.zeros(0)
    return np.frombuffer(data, _FLOATS, offset=_ARRAY_HEAD)["value"].astype(np.float64)


def read_int(data: bytes | None) -> int:
    """A binary int2, int4 or int8."""
    return int.from_bytes(data or b"", "big", signed=True)


def raw(cursor: Cursor, query: LiteralString, arguments: dict[str, Any]) -> Iterator[tuple[bytes | None, ...]]:
    """The rows of a binary cursor's query as the server sends them: for arrays, which psycopg would make lists of."""
    # Not prepared: a plan for any span looks at every chunk.
    result = cursor.execute(query, arguments, prepare=False).pgresult
    assert result is not None
    return (tuple(result.get_value(i, j) for j in range(result.nfields)) for i in range(result.ntuples))


def from_postgres(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds since 1970 of microseconds since 2000."""
    return times + _POSTGRES_EPOCH


def timestamps(times: NDArray[np.int64]) -> list[str]:
    """Microseconds since 1970 as text that PostgreSQL takes for timestamptz, also before the year 1."""
    return [_timestamp(time) for time in times.tolist()]


def _timestamp(time: int) -> str:
    if time >= _YEAR_1:
        return from_micros(time).isoformat()
    # 400 years of the Gregorian calendar are the same number of days; the year before 1 is 1 BC.
    moved = from_micros(time + _CYCLE)
    return f"{401 - moved.year:04}-{moved:%m-%dT%H:%M:%S.%f}+00:00 BC"
