"""What the committed stream has and the rollups do not hold yet: readers add it, so that they are never behind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tram.store import sqlfile
from tram.store.batch import Batch, concat
from tram.store.committed import Committed, Op
from tram.store.database import Cursor

READER = "rollup"
MOST_ROWS = 400_000
"""A longer tail is not read: the worker is away, and `observation` itself answers."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Batches after the rollups' position, in order. `whole` is False when they are too many, or gone."""

    batches: Sequence[Committed]
    whole: bool

    def inserted(self, after: int = -1) -> tuple[Batch, NDArray[np.int64]]:
        """All inserted rows of batches after a seq, and each row's seq."""
        ones = [one for one in self.batches if one.op is Op.INSERT and one.seq > after]
        seqs = np.repeat(np.array([one.seq for one in ones], np.int64), [len(one.batch) for one in ones])
        return concat([one.batch for one in ones]), seqs

    def changed(self, after: int = -1) -> set[int]:
        """Datastreams with corrected or deleted rows."""
        changed: set[int] = set()
        for one in self.batches:
            if one.op is not Op.INSERT and one.seq > after:
                changed.update(one.batch.datastream_id.tolist())
        return changed


def read(cursor: Cursor) -> Tail:
    """The tail as it is now; its transaction may be any."""
    queries = sqlfile.load("series")
    row = cursor.execute(queries["tail_size"], {"reader": READER}).fetchone()
    assert row is not None
    position, trimmed, rows = row
    if position is None or position < trimmed or rows > MOST_ROWS:
        return Tail((), whole=False)
    found = cursor.execute(queries["tail"], {"position": position}).fetchall()
    return Tail([Committed(seq, at, Op(op), Batch.unpack(bytes(data))) for seq, at, op, data in found], whole=True)
