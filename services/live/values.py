"""The latest value of every Datastream, in columns, and at which seq each changed last. Pure.

What changed after a place is one comparison over a subscription's Datastreams. That is the conflation, the catching up
of a slow client and the resuming after a reconnect, all three: there is no queue of values that could overflow.
"""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tram.store.batch import Batch

NEVER = np.iinfo(np.int64).min
"""The time of a Datastream without a value."""
_encode = msgspec.json.Encoder().encode

Row = tuple[int, int, float | None, bytes | None, int]
"""(Datastream, phenomenonTime in µs, number, JSON of what is no number, quality)."""


class Values:
    """Columns by Datastream id (the registry numbers them from 1 on, densely)."""

    def __init__(self) -> None:
        self._time = np.full(0, NEVER, np.int64)
        self._result = np.zeros(0)
        self._quality = np.zeros(0, np.int16)
        self._changed = np.zeros(0, np.int64)
        self._json: dict[int, bytes] = {}
        self._told: dict[int, bytes] = {}

    def insert(self, seq: int, batch: Batch) -> None:
        """New rows of one batch of the stream: those later than what is held replace it."""
        if not len(batch):
            return
        order = np.lexsort((batch.phenomenon_time, batch.datastream_id))
        ids = batch.datastream_id[order]
        rows = order[np.append(np.flatnonzero(ids[1:] != ids[:-1]), len(ids) - 1)]
        ids = batch.datastream_id[rows]
        self._grow(int(ids[-1]) + 1)
        newer = batch.phenomenon_time[rows] > self._time[ids]
        rows, ids = rows[newer], ids[newer]
        self._time[ids] = batch.phenomenon_time[rows]
        self._result[ids] = batch.result[rows]
        self._quality[ids] = batch.quality[rows]
        self._changed[ids] = seq
        self._forget(ids.tolist())
        if batch.result_json:
            for id, row in zip(ids.tolist(), rows.tolist(), strict=True):
                if row in batch.result_json:
                    self._json[id] = batch.result_json[row]

    def renew(self, seq: int, ids: Iterable[int], rows: Sequence[Row]) -> None:
        """What stands there now, read anew after a correction or deletion; an id without a row has no value."""
        held = {row[0]: row for row in rows}
        for id in ids:
            self._grow(id + 1)
            self._forget((id,))
            _, time, number, json, quality = held.get(id, (id, NEVER, None, None, 0))
            self._time[id], self._quality[id], self._changed[id] = time, quality, seq
            self._result[id] = np.nan if number is None else number
            if json is not None:
                self._json[id] = json

    def touch(self, seq: int, ids: NDArray[np.int32]) -> None:
        """Says that these may have changed as late as `seq`, whatever they are."""
        if len(ids):
            self._grow(int(ids.max()) + 1)
            self._changed[ids] = np.maximum(self._changed[ids], seq)

    def changed(self, among: NDArray[np.int32], after: int) -> NDArray[np.int32]:
        """Those of `among` that changed after a seq."""
        if len(among) and int(among[-1]) >= len(self._time):
            self._grow(int(among[-1]) + 1)
        return among[self._changed[among] > after]

    def encoded(self, among: NDArray[np.int32], *, empty: bool) -> list[bytes]:
        """The JSON of each value, made once however often it is sent. `empty`: also `[id]` of those without one."""
        if len(among) and int(among[-1]) >= len(self._time):
            self._grow(int(among[-1]) + 1)
        told = self._told
        missing = [id for id in among.tolist() if id not in told]
        if missing:
            columns = (self._time[missing].tolist(), self._result[missing].tolist(), self._quality[missing].tolist())
            for id, time, result, quality in zip(missing, *columns, strict=True):
                told[id] = self._one(id, time, result, quality)
        if empty:
            return [told[id] for id in among.tolist()]
        return [told[id] for id in among[self._time[among] != NEVER].tolist()]

    def _one(self, id: int, time: int, result: float, quality: int) -> bytes:
        if time == NEVER:
            return b"[%d]" % id
        value = _encode(result) if np.isfinite(result) else self._json.get(id, b"null")
        return b"[%d,%d,%b,%d]" % (id, time, value, quality) if quality else b"[%d,%d,%b]" % (id, time, value)

    def _forget(self, ids: Iterable[int]) -> None:
        for id in ids:
            self._told.pop(id, None)
            self._json.pop(id, None)

    def _grow(self, size: int) -> None:
        if size > len(self._time):
            more = max(size, 2 * len(self._time), 1024) - len(self._time)
            self._time = np.concatenate([self._time, np.full(more, NEVER, np.int64)])
            self._result = np.concatenate([self._result, np.zeros(more)])
            self._quality = np.concatenate([self._quality, np.zeros(more, np.int16)])
            self._changed = np.concatenate([self._changed, np.zeros(more, np.int64)])
