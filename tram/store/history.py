"""A Datastream over time for people and plots: from raw or from the rollup that fits, and it says which."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import sql

from tram.clock import DAY
from tram.errors import PayloadError
from tram.sensing import Micros
from tram.store import aggregate, sqlfile, tail
from tram.store.aggregate import BUCKET, Rows
from tram.store.columns import Layout
from tram.store.database import Connection, Cursor, available
from tram.store.downsample import lttb
from tram.store.observations import EARLIEST, LATEST
from tram.store.rollups import Level, levels
from tram.store.wire import timestamps

RAW = "raw"
MOST = 50_000
"""Most points of one answer that names its level; then it must ask for a shorter span or a wider level."""
_MOST_RAW = 500_000
_SPREAD = 4  # raw rows, or buckets, a point that are still read and thinned
_NUMBER = Layout(time="int8", quality="int2", result="float8")


@dataclass(frozen=True, slots=True)
class History:
    """Numbers of a span in order of time. A bucket that is not there is a gap.

    Attributes:
        used: "raw", "1m", "1h" or "1d": what was read.
        width: microseconds of a bucket; 0 for raw. A multiple of `used`'s when buckets were joined.
        thinned: raw points were left out (LTTB).
        raw: fields time, quality, result; None unless `used` is raw.
        buckets: see aggregate.BUCKET; None when it is.
    """

    used: str
    width: int
    thinned: bool
    raw: Rows | None
    buckets: Rows | None


def history(
    conn: Connection, datastream_id: int, start: Micros, end: Micros, *, points: int = 1000, level: str | None = None,
    utc_offset: int = 7,
) -> History:  # fmt: skip
    """What draws start <= time < end in about `points` points: raw when that is few enough, else minutes, hours, days.

    Buckets are whole: the first is the one that holds `start`. Joined buckets keep min and max; raw is thinned by LTTB.

    Args:
        level: "raw", "1m", "1h", "1d": exactly that, neither thinned nor joined.

    Raises:
        PayloadError: that level has more than MOST points in the span.
    """
    start, end = max(start, EARLIEST), min(end, LATEST + 1)
    widths = levels(utc_offset)
    if start >= end:
        return History(level or RAW, 0, thinned=False, raw=_NUMBER.empty(), buckets=None)
    most = MOST if level else points * _SPREAD
    with available(), conn.cursor(binary=True) as cursor:
        reader = _Reader(cursor, datastream_id, start, end)
        used = level or _choose(reader, widths, most)
        if used == RAW:
            raw = reader.numbers(most + 1)
            if level and len(raw) > MOST:
                raise PayloadError(f"more than {MOST} points: ask for less time, or a wider level", code="too-many")
            if len(raw) <= most:
                kept = np.arange(len(raw)) if level else lttb(raw["time"], raw["result"], points)
                return History(RAW, 0, len(kept) < len(raw), raw[kept], None)
            used = widths[0].name  # the estimate was too small
        chosen = next((width for width in widths if width.name == used), None)
        if chosen is None:
            raise PayloadError(f"{used!r} is no level: raw, 1m, 1h or 1d", code="level")
        rows = reader.buckets(chosen, most + 1)
        while len(rows) > most and not level and chosen is not widths[-1]:
            chosen = widths[widths.index(chosen) + 1]
            rows = reader.buckets(chosen, MOST + 1)
    if len(rows) > MOST:
        raise PayloadError(f"more than {MOST} points: ask for less time, or a wider level", code="too-many")
    width = chosen.width
    if not level and len(rows) > points:
        span = int(rows["bucket"][-1] - rows["bucket"][0]) + chosen.width
        width = chosen.width * -(-span // (points * chosen.width))
        rows = aggregate.combine(rows, width, chosen.offset)
    return History(chosen.name, width, thinned=False, raw=None, buckets=rows)


def _choose(reader: "_Reader", widths: tuple[Level, Level, Level], most: int) -> str:
    span = reader.end - reader.start
    n = reader.estimate(widths[2] if span > 90 * DAY else widths[1])
    if n <= most:
        return RAW
    for level in widths:
        if min(span // level.width + 1, n) <= most:
            return level.name
    return widths[1].name  # many of its hours may hold nothing; days, if not


class _Reader:
    """Reads one Datastream's span."""

    def __init__(self, cursor: Cursor, id: int, start: Micros, end: Micros) -> None:
        self.start, self.end = start, end
        self._cursor, self._id = cursor, id
        self._queries = sqlfile.load("series")

    def estimate(self, level: Level) -> int:
        query = sql.SQL(self._queries["count_estimate"]).format(table=level.table)
        row = self._cursor.execute(query, self._span(self._floor(level), 0)).fetchone()
        assert row is not None
        return int(row[0])

    def numbers(self, limit: int) -> Rows:
        return _NUMBER.copy_out(self._cursor, self._queries["numbers"], self._span(self.start, limit))

    def buckets(self, level: Level, limit: int) -> Rows:
        """With what the stream has beyond them."""
        behind = tail.read(self._cursor)
        first = self._floor(level)
        query = sql.SQL(self._queries["buckets"]).format(table=level.table)
        # By its seq what the worker has applied since the tail was read is dropped from it, and never counted twice.
        for _ in range(5):
            position, minutes, seqs = self._position()
            rows = BUCKET.copy_out(self._cursor, query, self._span(first, limit))
            if self._position()[0] == position:
                break  # else a worker's commit came between: once more
        if not behind.whole:
            return self._without_worker(rows, level)
        if not behind.batches:
            return rows
        batch, numbers = behind.inserted(-1 if position is None else position)
        mine = (batch.datastream_id == self._id) & (batch.phenomenon_time >= first) & (batch.phenomenon_time < self.end)
        for minute, seq in zip(minutes, seqs, strict=True):
            held = (batch.phenomenon_time >= minute) & (batch.phenomenon_time < minute + 60_000_000) & (numbers <= seq)
            mine &= ~held
        if not mine.any():
            return rows
        batch = batch.take(np.flatnonzero(mine))
        new = aggregate.of_observations(batch.datastream_id, batch.phenomenon_time, batch.result, batch.quality)
        return aggregate.combine(np.concatenate([rows, new]), level.width, level.offset)

    def _without_worker(self, rows: Rows, level: Level) -> Rows:
        """While the rollups stand still: from raw, unless that is too much, or less than the rollups have."""
        raw = self.numbers(_MOST_RAW + 1)
        ids = np.full(len(raw), self._id, np.int32)
        made = aggregate.of_observations(ids, raw["time"], raw["result"], raw["quality"])
        if len(raw) > _MOST_RAW or len(raw) < rows["n"].sum():
            return rows
        return aggregate.combine(made, level.width, level.offset)

    def _position(self) -> tuple[int | None, list[int], list[int]]:
        row = self._cursor.execute(self._queries["position_and_ahead"], {"id": self._id}).fetchone()
        assert row is not None
        return row[0], row[1] or [], row[2] or []

    def _floor(self, level: Level) -> int:
        return int(aggregate.floor(np.array([self.start]), level.width, level.offset)[0])

    def _span(self, first: int, limit: int) -> dict[str, Any]:
        start, last = timestamps(np.array([first, self.end - 1]))
        return {"id": self._id, "start": start, "last": last, "limit": limit}
