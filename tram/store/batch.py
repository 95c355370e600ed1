"""A batch of Observations as numpy columns, and its packed form in the committed stream.

Packed (all little-endian; docs/store.md):

    "TB1"  flags u8   n u32   base i64
    datastream_id  n x i32
    time - base    n x u32 (microseconds), or n x i64 with flag WIDE_TIME
    result         n x f64
    quality        n x i16, only with flag QUALITY (else all are 0)
    sparse         only with flag SPARSE: twice (result_json, parameters) a count u32, then row u32, length u32, bytes
    extra          only with flag EXTRA: once more the same
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tram.errors import PayloadError

_HEAD = struct.Struct("<3sBIq")
_PAIR = struct.Struct("<II")
_PAIRS = np.dtype([("row", "<u4"), ("length", "<u4")])
_COUNT = struct.Struct("<I")
_MAGIC = b"TB1"
_WIDE_TIME, _QUALITY, _SPARSE, _EXTRA = 1, 2, 4, 8
_JSON_DEPTH = 128


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """n Observations of any Datastreams, in order of arrival. All arrays have the shape (n,).

    Attributes:
        datastream_id: int32.
        phenomenon_time: int64, microseconds since 1970-01-01T00:00:00Z, within the years 1 to 9999.
        result: float64; NaN (or an infinity) = no number, stored as NULL.
        quality: int16, bits of tram.quality.Quality.
        result_json: row index -> JSON bytes, for the few rows whose value is no number. See `encode_json`.
        parameters: row index -> JSON bytes of an object, for the few rows that have SensorThings parameters.
        extra: row index -> JSON bytes of an object, for the few rows that have more of SensorThings:
            "end" (of the phenomenonTime), "resultTime", "validTime", "resultQuality", "feature", "id".
    """

    datastream_id: NDArray[np.int32]
    phenomenon_time: NDArray[np.int64]
    result: NDArray[np.float64]
    quality: NDArray[np.int16]
    result_json: Mapping[int, bytes] = field(default_factory=dict)
    parameters: Mapping[int, bytes] = field(default_factory=dict)
    extra: Mapping[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.datastream_id)

    def take(self, rows: NDArray[np.intp]) -> "Batch":
        """The rows of these indices, in this order; the sparse columns move with them."""
        return Batch(
            self.datastream_id[rows],
            self.phenomenon_time[rows],
            self.result[rows],
            self.quality[rows],
            _moved(self.result_json, rows),
            _moved(self.parameters, rows),
            _moved(self.extra, rows),
        )

    def pack(self) -> bytes:
        """The columns as one self-describing byte string; `unpack` gives the same rows back."""
        n = len(self)
        base = int(self.phenomenon_time.min()) if n else 0
        wide = n > 0 and int(self.phenomenon_time.max()) - base > 0xFFFFFFFF
        quality = bool(self.quality.any())
        sparse = bool(self.result_json or self.parameters)
        flags = (_WIDE_TIME if wide else 0) | (_QUALITY if quality else 0) | (_SPARSE if sparse else 0)
        flags |= _EXTRA if self.extra else 0
        offsets = self.phenomenon_time - np.int64(0 if wide else base)
        parts = [
            _HEAD.pack(_MAGIC, flags, n, base),
            self.datastream_id.astype("<i4", copy=False).tobytes(),
            offsets.astype("<i8" if wide else "<u4").tobytes(),
            self.result.astype("<f8", copy=False).tobytes(),
        ]
        if quality:
            parts.append(self.quality.astype("<i2", copy=False).tobytes())
        columns = [self.result_json, self.parameters] if sparse else []
        for column in columns + ([self.extra] if self.extra else []):
            parts += (_COUNT.pack(len(column)), *_pack_sparse(column))
        return b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> "Batch":
        """Raises ValueError when `data` is no packed batch, or is cut. The arrays are read-only."""
        if len(data) < _HEAD.size:
            raise ValueError("a packed batch is cut in its head")
        magic, flags, n, base = _HEAD.unpack_from(data)
        if magic != _MAGIC or flags & ~(_WIDE_TIME | _QUALITY | _SPARSE | _EXTRA):
            raise ValueError("not a packed batch of a version that is known here")
        place = _HEAD.size

        def column(kind: str) -> NDArray[Any]:
            nonlocal place
            found = np.frombuffer(data, kind, n, place)  # ValueError when there is less
            place += found.nbytes
            return found

        ids = column("<i4").astype(np.int32, copy=False)
        if flags & _WIDE_TIME:
            times = column("<i8").astype(np.int64, copy=False)
        else:
            times = column("<u4").astype(np.int64) + np.int64(base)
        result = column("<f8").astype(np.float64, copy=False)
        quality = column("<i2").astype(np.int16, copy=False) if flags & _QUALITY else np.zeros(n, np.int16)
        sparse: list[dict[int, bytes]] = [{}, {}, {}]
        sent = [bool(flags & _SPARSE), bool(flags & _SPARSE), bool(flags & _EXTRA)]
        try:
            for mapping in [mapping for mapping, there in zip(sparse, sent, strict=True) if there]:
                place = _unpack_sparse(data, place, n, mapping)
        except struct.error:
            raise ValueError("a packed batch is cut in its sparse columns") from None
        if place != len(data):
            raise ValueError("a packed batch has bytes after its end")
        return cls(ids, times, result, quality, *sparse)


def _pack_sparse(column: Mapping[int, bytes]) -> list[bytes]:
    heads = np.empty(len(column), _PAIRS)
    heads["row"] = np.fromiter(column, np.uint32, len(column))
    heads["length"] = np.fromiter(map(len, column.values()), np.uint32, len(column))
    parts = [b""] * (2 * len(column))
    parts[0::2] = heads.view(f"V{_PAIRS.itemsize}").tolist()
    parts[1::2] = column.values()
    return parts


def _unpack_sparse(data: bytes, place: int, n: int, into: dict[int, bytes]) -> int:
    (count,) = _COUNT.unpack_from(data, place)
    place += _COUNT.size
    for _ in range(count):
        row, length = _PAIR.unpack_from(data, place)
        place += _PAIR.size
        value = data[place : place + length]
        if row >= n or len(value) != length:
            raise ValueError("a packed batch is cut in its sparse columns")
        into[row] = value
        place += length
    return place


def _moved(column: Mapping[int, bytes], rows: NDArray[np.intp]) -> dict[int, bytes]:
    if not column:
        return {}
    return {new: column[old] for new, old in enumerate(rows.tolist()) if old in column}


def concat(batches: Sequence[Batch]) -> Batch:
    """One batch of all rows, in order. Of no batches at all: an empty one."""
    if not batches:
        return Batch(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int16))
    json: dict[int, bytes] = {}
    parameters: dict[int, bytes] = {}
    extra: dict[int, bytes] = {}
    start = 0
    for batch in batches:
        json.update((start + row, data) for row, data in batch.result_json.items())
        parameters.update((start + row, data) for row, data in batch.parameters.items())
        extra.update((start + row, data) for row, data in batch.extra.items())
        start += len(batch)
    return Batch(
        np.concatenate([b.datastream_id for b in batches]),
        np.concatenate([b.phenomenon_time for b in batches]),
        np.concatenate([b.result for b in batches]),
        np.concatenate([b.quality for b in batches]),
        json,
        parameters,
        extra,
    )


def encode_json(value: Any) -> bytes:
    """JSON that PostgreSQL's jsonb takes: NUL and lone surrogates in strings become U+FFFD, NaN and infinities null.

    Raises:
        PayloadError: nested deeper than 128, or not JSON-able.
    """
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        encoded = b""
    # The usual value is plain: no NUL, nothing nested deep.
    if encoded and b"\\u0000" not in encoded and encoded.count(b"[") + encoded.count(b"{") <= _JSON_DEPTH:
        return encoded
    try:
        return msgspec.json.encode(_storable(value, _JSON_DEPTH))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise PayloadError(f"a value cannot be written as JSON: {error}", code="json") from None


def storable_text(text: str) -> str:
    """Text that PostgreSQL takes: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def _storable(value: Any, depth: int) -> Any:
    if depth < 0:
        raise PayloadError(f"a value is nested deeper than {_JSON_DEPTH}", code="json")
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable_text(str(k)): _storable(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(v, depth - 1) for v in value]
    return value
