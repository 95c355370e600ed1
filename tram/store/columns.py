"""Tables of numbers as numpy structured arrays, to and from PostgreSQL's binary COPY format (see tram.store.wire).

Columns are NOT NULL and of fixed width: then a whole table is one array, and no Python runs per row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tram.store.database import Cursor

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH = np.int64(946_684_800_000_000)


class Layout:
    """Columns in the order in which COPY names them: int2, int4, int8, float8 or time (timestamptz)."""

    _KINDS: Mapping[str, tuple[str, str]] = {
        "int2": (">i2", "<i2"), "int4": (">i4", "<i4"), "int8": (">i8", "<i8"), "float8": (">f8", "<f8"),
        "time": (">i8", "<i8"),
    }  # fmt: skip

    def __init__(self, **columns: str) -> None:
        self.names = tuple(columns)
        self._times = tuple(name for name, kind in columns.items() if kind == "time")
        self.dtype = np.dtype([(name, self._KINDS[kind][1]) for name, kind in columns.items()])
        wire: list[tuple[str, str]] = [("fields", ">i2")]
        for name, kind in columns.items():
            wire += [(f"l_{name}", ">i4"), (name, self._KINDS[kind][0])]
        self._wire = np.dtype(wire)
        self._template = np.zeros((), self._wire)
        self._template["fields"] = len(columns)
        for name in self.names:
            self._template[f"l_{name}"] = self._wire[name].itemsize

    def empty(self, n: int = 0) -> NDArray[Any]:
        """n rows of zeros."""
        return np.zeros(n, self.dtype)

    def encode(self, rows: NDArray[Any]) -> bytes:
        """A whole COPY stream; times are microseconds since 1970."""
        out = np.full(len(rows), self._template)
        for name in self.names:
            out[name] = rows[name] - _POSTGRES_EPOCH if name in self._times else rows[name]
        return b"".join((_HEAD, out.data, _TRAILER))

    def decode(self, data: bytes) -> NDArray[Any]:
        """The rows of a whole COPY stream. Raises ValueError when it is not one of these columns without NULLs."""
        body = len(data) - len(_HEAD) - len(_TRAILER)
        if body < 0 or not data.startswith(_HEAD) or not data.endswith(_TRAILER) or body % self._wire.itemsize:
            raise ValueError("not a binary COPY of these columns")
        found = np.frombuffer(data, self._wire, body // self._wire.itemsize, len(_HEAD))
        rows = self.empty(len(found))
        for name in self.names:
            if (found[f"l_{name}"] != self._wire[name].itemsize).any():
                raise ValueError(f"a binary COPY with another width, or NULL, in {name}")
            rows[name] = found[name] + _POSTGRES_EPOCH if name in self._times else found[name]
        return rows

    def copy_in(self, cursor: Cursor, query: Any, rows: NDArray[Any]) -> None:
        """Runs COPY … FROM STDIN (FORMAT binary) with the rows."""
        with cursor.copy(query) as copy:
            copy.write(self.encode(rows))

    def copy_out(self, cursor: Cursor, query: Any, arguments: Any = None) -> NDArray[Any]:
        """Runs COPY (…) TO STDOUT (FORMAT binary); the rows."""
        with cursor.copy(query, arguments) as copy:
            return self.decode(b"".join(bytes(block) for block in copy))
