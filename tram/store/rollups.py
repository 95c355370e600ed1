"""Rollups of 1 minute, 1 hour and 1 day, and the latest value of every Datastream, kept from the committed stream.

    committed --take--+-- new rows --numpy: minutes, hours, days--> INSERT … ON CONFLICT UPDATE (tram.store.aggregate)
                      +-- corrected, deleted --> their minutes from `observation`, hours from minutes, days from hours

The position is stored in the transaction of the effects. What a snapshot of `observation` already holds beyond the
position is noted in `rollup_ahead`, so that it is not added again. See docs/store.md and docs/adr/0110-rollups.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from tram.clock import DAY, SECOND, to_micros
from tram.errors import NotFoundError, SettingsError
from tram.store import aggregate, latest, sqlfile
from tram.store.aggregate import BUCKET, Rows
from tram.store.batch import concat
from tram.store.columns import Layout
from tram.store.committed import Committed, Op, Reader
from tram.store.database import Connection, Cursor, available
from tram.store.wire import timestamps

READER = "rollup"
SLICE = 5_000  # most buckets that are computed anew by one query
PAGE = 250_000  # most rows of one Datastream that a rebuild holds


@dataclass(frozen=True, slots=True)
class Level:
    """A width of buckets. `width`, `offset` in microseconds: buckets begin `offset` before whole widths since 1970."""

    name: str
    width: int
    offset: int = 0

    @property
    def table(self) -> sql.Identifier:
        """Its table."""
        return sql.Identifier(f"rollup_{self.name}")


def levels(utc_offset: int) -> tuple[Level, Level, Level]:
    """Minutes, hours, and days of a place so many whole hours ahead of UTC."""
    return Level("1m", 60 * SECOND), Level("1h", 3600 * SECOND), Level("1d", DAY, utc_offset * 3600 * SECOND)


class Step(NamedTuple):
    """What one step did: batches and rows taken, and whether there may be more at once."""

    batches: int
    rows: int
    more: bool


_RAW = Layout(datastream_id="int4", time="int8", quality="int2", result="float8")
_AHEAD = Layout(datastream_id="int4", bucket="time", seq="int8")


class Rollups:
    """Keeps the rollups. One works at a time: the reader's position is locked."""

    def __init__(self, utc_offset: int) -> None:
        """`utc_offset`: settings.utc_offset, hours."""
        self.levels = levels(utc_offset)
        self._utc_offset = utc_offset
        self._reader = Reader(READER)
        self._queries = sqlfile.load("rollups")

    def start(self, conn: Connection) -> None:
        """Makes the position where there is none yet. Never commits.

        Raises:
            SettingsError: there is data that the stream no longer has, or days were computed for another utc_offset.
        """
        try:
            self._reader.position(conn)
        except NotFoundError:
            row = conn.execute(self._queries["stream_is_whole"]).fetchone()
            if row is None or not row[0]:
                raise SettingsError("there is history without rollups: run `tram rollups rebuild`") from None
            self._reader.start(conn, from_oldest=True)
            conn.execute(self._queries["set_state"], (self._utc_offset,))
        row = conn.execute(self._queries["state"]).fetchone()
        if row is None or row[0] != self._utc_offset:
            raise SettingsError(f"the days are of UTC{row[0] if row else 0:+}, not {self._utc_offset:+}: "
                                "run `tram rollups rebuild`")  # fmt: skip

    def step(self, conn: Connection, rows: int = 200_000) -> Step:
        """Takes about `rows` rows from the stream and applies them. Never commits: commit soon, it holds the position.

        Raises:
            FellBehindError: run `rebuild`.
            UnavailableError: roll back and try again.
        """
        taken = self._reader.take(conn, rows=rows, batches=2_000)
        if not taken:
            return Step(0, 0, more=False)
        with available(), conn.cursor(binary=True) as cursor:
            self._apply(cursor, taken)
            latest.apply(cursor, taken)
            cursor.execute(self._queries["forget_ahead"], (taken[-1].seq,))
        total = sum(len(t.batch) for t in taken)
        return Step(len(taken), total, more=total >= rows)

    def rebuild(self, conn: Connection, progress: Callable[[int, int], None] = lambda done, all: None) -> int:
        """Computes everything anew from `observation`; returns how many Datastreams there are. Never commits.

        The connection must have no transaction under way and be REPEATABLE READ: the procedure of docs/store.md.
        Readers see the old rollups until the commit.

        Args:
            progress: told (Datastreams done, all) now and then.

        Raises:
            UnavailableError: also when a worker moved the position meanwhile; roll back and try again.
        """
        self._reader.start(conn, again=True)
        with available(), conn.cursor(binary=True) as cursor:
            cursor.execute(self._queries["set_state"], (self._utc_offset,))
            ids = [row[0] for row in cursor.execute(self._queries["ids"])]
            cuts: dict[int, int] = dict(cursor.execute(sqlfile.load("retention")["cut_of"], {"ids": None}).fetchall())
            for done, id in enumerate(ids):
                self._rebuild_one(cursor, id, timestamps(np.array([cuts[id]]))[0] if id in cuts else "-infinity")
                if done % 100 == 0:
                    progress(done, len(ids))
            for start in range(0, len(ids), SLICE):
                latest.renew(cursor, ids[start : start + SLICE])
            cursor.execute(self._queries["clear_ahead"])  # one snapshot: nothing is ahead of the position
        progress(len(ids), len(ids))
        return len(ids)

    def _rebuild_one(self, cursor: Cursor, id: int, start: str) -> None:
        """From `start` on: what is older has no raw rows any more."""
        for level in self.levels:
            cursor.execute(sql.SQL(self._queries["clear_since"]).format(table=level.table), (id, start))
        while True:
            raw = _RAW.copy_out(cursor, self._queries["page_of"], {"id": id, "start": start, "limit": PAGE})
            rows = aggregate.of_observations(raw["datastream_id"], raw["time"], raw["result"], raw["quality"])
            for level in self.levels:
                rows = aggregate.combine(rows, level.width, level.offset)
                self._merge(cursor, level, rows)
            if len(raw) < PAGE:
                return
            start = timestamps(raw["time"][-1:] + 1)[0]

    def _apply(self, cursor: Cursor, taken: Sequence[Committed]) -> None:
        minute, hour, day = self.levels
        added = self._new_minutes(cursor, taken)
        dirty = self._whole(cursor, self._computable(cursor, _dirty(taken, minute.width)))
        if len(dirty):
            added = added[~_among(added, dirty)]
        self._merge(cursor, minute, added)
        for part in _slices(dirty):
            rows, seq = self._numbers(cursor, part, minute.width)
            self._replace(cursor, minute, part, aggregate.combine(rows, minute.width))
            cursor.execute(
                self._queries["note_ahead"],
                {"ids": part["datastream_id"].tolist(), "buckets": timestamps(part["bucket"]), "seq": seq},
            )
        for level, finer in ((hour, minute), (day, hour)):
            added = aggregate.combine(added, level.width, level.offset)
            wide = _keys(dirty["datastream_id"], aggregate.floor(dirty["bucket"], level.width, level.offset))
            if len(wide):
                added = added[~_among(added, wide)]
            self._merge(cursor, level, added)
            for part in _slices(wide):
                rows = self.read(cursor, finer, part, level.width - finer.width)
                self._replace(cursor, level, part, aggregate.combine(rows, level.width, level.offset))
            dirty = wide

    def _computable(self, cursor: Cursor, dirty: Rows) -> Rows:
        """Without the buckets whose raw rows retention has removed: those stand as they are."""
        if len(dirty) == 0:
            return dirty
        ids = np.unique(dirty["datastream_id"]).tolist()
        cuts: dict[int, int] = dict(cursor.execute(sqlfile.load("retention")["cut_of"], {"ids": ids}).fetchall())
        if not cuts:
            return dirty
        cut = np.array([cuts.get(id, -(2**62)) for id in dirty["datastream_id"].tolist()], np.int64)
        return dirty[dirty["bucket"] >= cut]

    def _whole(self, cursor: Cursor, dirty: Rows) -> Rows:
        """With all minutes of an hour (or day) of which retention may have removed some: it is computed of those."""
        if len(dirty) == 0:
            return dirty
        arguments = {"offset": self._utc_offset, "ids": np.unique(dirty["datastream_id"]).tolist()}
        minute, hour, day = self.levels
        parts = [dirty]
        for id, level, cut in cursor.execute(sqlfile.load("retention")["cuts_of"], arguments).fetchall():
            wide = hour if level == minute.name else day
            old = dirty["bucket"][(dirty["datastream_id"] == id) & (dirty["bucket"] < to_micros(cut))]
            starts = np.unique(aggregate.floor(old, wide.width, wide.offset))
            minutes = (starts[:, None] + np.arange(0, wide.width, minute.width)).ravel()
            parts.append(_keys(np.full(len(minutes), id), minutes))
        whole = np.concatenate(parts)
        return self._computable(cursor, _keys(whole["datastream_id"], whole["bucket"]))

    def _new_minutes(self, cursor: Cursor, taken: Sequence[Committed]) -> Rows:
        """The minutes of inserted rows, without what the tables hold already."""
        ahead = _AHEAD.copy_out(cursor, self._queries["ahead"])
        held = {(int(row["datastream_id"]), int(row["bucket"])): int(row["seq"]) for row in ahead}
        width = self.levels[0].width
        batches = []
        for one in taken:
            if one.op is not Op.INSERT:
                continue
            batch = one.batch
            if held:
                pairs = zip(
                    batch.datastream_id.tolist(), aggregate.floor(batch.phenomenon_time, width).tolist(), strict=True
                )
                batch = batch.take(np.flatnonzero([held.get(pair, -1) < one.seq for pair in pairs]))
            batches.append(batch)
        batch = concat(batches)
        columns = (batch.datastream_id, batch.phenomenon_time, batch.result, batch.quality)
        return aggregate.combine_observations(*columns, width)

    def _merge(self, cursor: Cursor, level: Level, rows: Rows) -> None:
        if len(rows) == 0:
            return
        cursor.execute(self._queries["staging"])
        cursor.execute(self._queries["staging_clear"])
        BUCKET.copy_in(cursor, self._queries["staging_copy"], rows)
        cursor.execute(sql.SQL(self._queries["merge"]).format(table=level.table))

    def _replace(self, cursor: Cursor, level: Level, keys: Rows, rows: Rows) -> None:
        cursor.execute(sql.SQL(self._queries["remove"]).format(table=level.table), _spans(keys, 0))
        self._merge(cursor, level, rows)

    def _numbers(self, cursor: Cursor, keys: Rows, width: int) -> tuple[Rows, int]:
        """The numbers of these buckets from `observation`, and the seq up to which they are there."""
        raw = _RAW.copy_out(cursor, self._queries["raw_of"], _spans(keys, width - 1))
        # Without an ORDER BY the first branch of UNION ALL comes first; its Datastream 0 is none.
        at = int(np.flatnonzero(raw["datastream_id"] == 0)[0])
        seq, raw = int(raw["time"][at]), np.delete(raw, at)
        return aggregate.of_observations(raw["datastream_id"], raw["time"], raw["result"], raw["quality"]), seq

    def read(self, cursor: Cursor, level: Level, keys: Rows, beyond: int = 0) -> Rows:
        """The rows of `level` whose buckets begin at each key's, or up to `beyond` microseconds after it."""
        query = sql.SQL(self._queries["buckets_of"]).format(table=level.table)
        return BUCKET.copy_out(cursor, query, _spans(keys, beyond))


def _keys(ids: NDArray[Any], buckets: NDArray[Any]) -> Rows:
    """The distinct pairs, sorted, as rows with only datastream_id and bucket set."""
    rows = BUCKET.empty(len(ids))
    rows["datastream_id"], rows["bucket"] = ids, buckets
    rows = rows[np.lexsort((buckets, ids))]
    new = np.ones(len(rows), bool)
    new[1:] = (rows["datastream_id"][1:] != rows["datastream_id"][:-1]) | (rows["bucket"][1:] != rows["bucket"][:-1])
    return rows[new]


def _dirty(taken: Sequence[Committed], width: int) -> Rows:
    batches = [one.batch for one in taken if one.op is not Op.INSERT]
    if not batches:
        return BUCKET.empty()
    times = np.concatenate([b.phenomenon_time for b in batches])
    return _keys(np.concatenate([b.datastream_id for b in batches]), aggregate.floor(times, width))


def _among(rows: Rows, keys: Rows) -> NDArray[np.bool_]:
    """Which of the rows have one of the keys."""
    known = set(zip(keys["datastream_id"].tolist(), keys["bucket"].tolist(), strict=True))
    pairs = zip(rows["datastream_id"].tolist(), rows["bucket"].tolist(), strict=True)
    return np.array([pair in known for pair in pairs], bool)


def _slices(keys: Rows) -> Iterator[Rows]:
    for start in range(0, len(keys), SLICE):
        yield keys[start : start + SLICE]


def _spans(keys: Rows, beyond: int) -> dict[str, Any]:
    return {
        "ids": keys["datastream_id"].tolist(),
        "firsts": timestamps(keys["bucket"]),
        "lasts": timestamps(keys["bucket"] + beyond),
    }
