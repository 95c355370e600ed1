"""The committed stream: every stored batch, numbered in the order of commit, for whatever follows from new data.

A reader takes batches in order and stores its position in the transaction of its own effects, so that nothing is missed
or done twice across a restart of anything. Kept for settings.committed_keep seconds. See docs/store.md.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import psycopg
from psycopg import sql

from tram.errors import NotFoundError, TramError
from tram.store import sqlfile
from tram.store.batch import Batch
from tram.store.database import Connection, Cursor, available
from tram.store.notify import Listener

__all__ = ["CHANNEL", "Committed", "FellBehindError", "Listener", "Op", "Reader", "append", "trim"]

CHANNEL = "tram_committed"
"""NOTIFY channel; the payload is the seq."""

PARTITIONS = 6
"""Partitions of the ring; one is being filled, and each is filled for a quarter of the time that the stream is kept."""


class Op(IntEnum):
    """What a batch did to the store."""

    INSERT = 0
    CORRECT = 1
    DELETE = 2


@dataclass(frozen=True, slots=True)
class Committed:
    """One batch of the stream. For DELETE the rows are what was removed, for CORRECT what stands there now."""

    seq: int
    at: datetime
    op: Op
    batch: Batch


class FellBehindError(TramError):
    """Batches that this reader had not read are gone: it must rebuild from the hypertable (docs/store.md, Rebuild)."""

    code = "fell-behind"


def append(conn: Connection | Cursor, op: Op, batch: Batch) -> int:
    """Appends rows that this transaction has changed, and notifies; returns the seq. Never commits. Call it LAST.

    It holds the stream's lock until the transaction ends: that is what makes the order of seq the order of commit.
    """
    with available():
        row = conn.execute(sqlfile.load("committed")["append"], (op, len(batch), batch.pack())).fetchone()
    assert row is not None
    return int(row[0])


class Reader:
    """A named reader. One instance of a name reads at a time: others wait for its transaction to end."""

    def __init__(self, name: str) -> None:
        """`name` identifies the position, e.g. "rollup"."""
        self.name = name
        self._queries = sqlfile.load("committed")

    def start(self, conn: Connection, *, from_oldest: bool = False, again: bool = False) -> int:
        """Makes the position where there is none: at the stream's end, or before its oldest batch. Never commits.

        With `again` an existing position is set anew: the FIRST step of a rebuild (docs/store.md). Returns it.
        """
        with available():
            query = self._queries["start_oldest" if from_oldest else "start_end"]
            row = conn.execute(query).fetchone()
            assert row is not None
            row = conn.execute(self._queries["restart" if again else "start"], (self.name, row[0])).fetchone()
            return int(row[0]) if row is not None else self.position(conn)

    def position(self, conn: Connection) -> int:
        """The seq of the last batch that was taken. Raises NotFoundError when `start` was never called."""
        with available():
            row = conn.execute(self._queries["position"], (self.name,)).fetchone()
        if row is None:
            raise NotFoundError(f"the reader {self.name!r} of the committed stream was never started")
        return int(row[0])

    def take(self, conn: Connection, *, rows: int = 50_000, batches: int = 100) -> list[Committed]:
        """The next batches in order, at most `batches` and about `rows` rows (at least one batch); [] when none.

        Moves the position in this transaction: commit it together with the effects, or roll both back. The transaction
        must be READ COMMITTED (the default).

        Raises:
            FellBehindError: unread batches are gone.
            NotFoundError: `start` was never called.
            UnavailableError: the database is away; the position has not moved.
        """
        with available():
            row = conn.execute(self._queries["lock_position"], (self.name,)).fetchone()
            if row is None:
                raise NotFoundError(f"the reader {self.name!r} of the committed stream was never started")
            position = int(row[0])
            with conn.cursor(binary=True) as cursor:
                found = cursor.execute(
                    self._queries["next"], {"seq": position, "batches": batches, "rows": rows}
                ).fetchall()
            # After reading, so that what a trim took away in between is noticed too.
            gone = conn.execute(self._queries["trimmed"]).fetchone()
            assert gone is not None
            if position < gone[0]:
                raise FellBehindError(
                    f"the reader {self.name!r} stands at {position}, the stream is kept from {gone[0] + 1} on: "
                    "rebuild (docs/store.md)"
                )
            taken = [Committed(seq, at, Op(op), Batch.unpack(bytes(data))) for seq, at, op, data in found]
            if taken:
                conn.execute(self._queries["move"], (taken[-1].seq, self.name))
        return taken

    def lag(self, conn: Connection) -> tuple[int, float]:
        """(batches not read yet, seconds since the oldest of them was committed)."""
        position = self.position(conn)
        with available():
            row = conn.execute(self._queries["lag"], (position,)).fetchone()
        assert row is not None
        return int(row[0]), float(row[1])


def trim(conn: Connection, keep: float) -> int:
    """Frees the partitions whose batches are all older than `keep` seconds, and moves the writers to the next one.

    The worker calls it every few seconds with settings.committed_keep. Returns how many partitions were freed. Never
    commits (commit soon: it holds the partitions it freed); gives up rather than wait for a long reader.
    """
    queries = sqlfile.load("committed")
    freed = 0
    with available():
        row = conn.execute(queries["lock_ring"]).fetchone()
        if row is None:  # another worker is at it
            return 0
        current, age = int(row[0]), float(row[1])
        for slot in range(PARTITIONS):
            if slot != current and _free(conn, slot, keep):
                freed += 1
        following = (current + 1) % PARTITIONS
        if age >= keep / 4 and _state(conn, following, keep)[0] is None:
            conn.execute(queries["move_ring"], (following,))
    return freed


def _on(slot: int, query: str) -> sql.Composed:
    return sql.SQL(query).format(slot=sql.Identifier(f"committed_{slot}"))


def _state(conn: Connection, slot: int, keep: float) -> tuple[int | None, bool]:
    """(largest seq of a partition, None when it is empty; whether all it has is old)."""
    row = conn.execute(_on(slot, sqlfile.load("committed")["slot_state"]), {"keep": keep}).fetchone()
    assert row is not None
    return row[0], row[1]


def _free(conn: Connection, slot: int, keep: float) -> bool:
    """Truncates a partition if all it has is old."""
    queries = sqlfile.load("committed")
    if not _state(conn, slot, keep)[1]:
        return False
    try:
        with conn.transaction():  # a savepoint: the caller's transaction goes on when the lock is not to be had
            conn.execute(_on(slot, queries["lock_slot"]))
            # A writer that had read the ring before it moved on may have added a row until now.
            last, old = _state(conn, slot, keep)
            if not old:
                return False
            conn.execute(_on(slot, queries["truncate_slot"]))
            conn.execute(queries["trimmed_to"], (last,))
    except psycopg.errors.LockNotAvailable:
        return False
    return True
