"""Reading what calculated Datastreams are computed from, and what is stored of them: many short spans in one query."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tram.clock import from_micros
from tram.store import sqlfile
from tram.store.columns import Layout
from tram.store.database import Cursor
from tram.store.observations import EARLIEST, LATEST

ROWS = 250_000
"""Most rows of one Datastream that are read at once."""
FEW = 4_000
"""Most rows of one span that is read together with others; of one that has more, alone."""
TOGETHER = 400
"""Most spans of one query."""
NUMBERS = Layout(time="int8", quality="int2", result="float8")
"""Columns of the queries `numbers` and `stored`."""
_MANY = Layout(n="int4", time="int8", quality="int2", result="float8")

Found = NDArray[np.void]


class Wanted(NamedTuple):
    """A span of a Datastream: microseconds, both ends belong to it."""

    query: str
    id: int
    start: int
    last: int

    def bounded(self) -> "Wanted":
        """Within the calendar."""
        return self._replace(start=max(self.start, EARLIEST), last=min(self.last, LATEST))


class Rows:
    """Reads spans, some of them ahead. `query` is `numbers` (good and bad, but numbers) or `stored` (all there is)."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._ahead: dict[Wanted, Found] = {}

    def ahead(self, wanted: Collection[Wanted]) -> None:
        """Reads these together; `get` answers from what came."""
        for query in ("numbers", "stored"):
            mine = list(dict.fromkeys(one.bounded() for one in wanted if one.query == query))
            for start in range(0, len(mine), TOGETHER):
                self._together(query, mine[start : start + TOGETHER])

    def _together(self, query: str, wanted: list[Wanted]) -> None:
        arguments: Mapping[str, object] = {
            "ids": [one.id for one in wanted], "limit": FEW,
            "starts": [from_micros(one.start) for one in wanted], "lasts": [from_micros(one.last) for one in wanted],
        }  # fmt: skip
        rows = _MANY.copy_out(self._cursor, sqlfile.load("calculated")[f"{query}_many"], arguments)
        rows = rows[np.lexsort((rows["time"], rows["n"]))]
        ends = np.searchsorted(rows["n"], np.arange(len(wanted) + 1), "right")
        for n, one in enumerate(wanted):
            if ends[n + 1] - ends[n] < FEW:
                found = NUMBERS.empty(ends[n + 1] - ends[n])
                for column in NUMBERS.names:
                    found[column] = rows[column][ends[n] : ends[n + 1]]
                self._ahead[one] = found

    def get(self, query: str, id: int, start: int, last: int) -> Found:
        """At most ROWS rows of a span, by time."""
        wanted = Wanted(query, id, start, last).bounded()
        found = self._ahead.pop(wanted, None)
        if found is not None:
            return found
        arguments = {"id": id, "start": from_micros(wanted.start), "last": from_micros(wanted.last), "limit": ROWS}
        return NUMBERS.copy_out(self._cursor, sqlfile.load("calculated")[query], arguments)
