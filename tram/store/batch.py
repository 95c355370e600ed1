"""A batch of Observations as numpy columns, and its packed form in the committed stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    """

    datastream_id: NDArray[np.int32]
    phenomenon_time: NDArray[np.int64]
    result: NDArray[np.float64]
    quality: NDArray[np.int16]
    result_json: Mapping[int, bytes] = field(default_factory=dict)
    parameters: Mapping[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.datastream_id)

    def take(self, rows: NDArray[np.intp]) -> "Batch":
        """The rows of these indices, in this order; the sparse columns move with them."""
        raise NotImplementedError

    def pack(self) -> bytes:
        """The columns as one self-describing byte string; `unpack` gives the same rows back."""
        raise NotImplementedError

    @classmethod
    def unpack(cls, data: bytes) -> "Batch":
        """Raises ValueError when `data` is no packed batch, or is cut."""
        raise NotImplementedError


def concat(batches: Sequence[Batch]) -> Batch:
    """One batch of all rows, in order."""
    raise NotImplementedError


def encode_json(value: Any) -> bytes:
    """JSON that PostgreSQL's jsonb takes: NUL and lone surrogates in strings become U+FFFD, NaN and infinities null.

    Raises:
        PayloadError: nested too deep, or not JSON-able.
    """
    raise NotImplementedError
