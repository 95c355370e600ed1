"""The committed stream: every stored batch, numbered in the order of commit, for whatever follows from new data.

A reader takes batches in order and stores its position in the transaction of its own effects, so that nothing is missed
or done twice across a restart of anything. Kept for settings.committed_keep seconds. See docs/store.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from tram.errors import TramError
from tram.settings import Settings
from tram.store.batch import Batch
from tram.store.database import Connection

CHANNEL = "tram_committed"
"""NOTIFY channel; the payload is the seq."""


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


def append(conn: Connection, op: Op, batch: Batch) -> int:
    """Appends rows that this transaction has changed, and notifies; returns the seq. Never commits. Call it LAST.

    It holds the stream's lock until the transaction ends: that is what makes the order of seq the order of commit.
    """
    raise NotImplementedError


class Reader:
    """A named reader. One instance of a name reads at a time: others wait for its transaction to end."""

    def __init__(self, name: str) -> None:
        """`name` identifies the position, e.g. "rollup"."""
        self.name = name

    def start(self, conn: Connection, *, from_oldest: bool = False, again: bool = False) -> int:
        """Makes the position where there is none: at the stream's end, or before its oldest batch. Never commits.

        With `again` an existing position is set anew: the last step of a rebuild. Returns the position.
        """
        raise NotImplementedError

    def take(self, conn: Connection, *, rows: int = 50_000, batches: int = 100) -> list[Committed]:
        """The next batches in order, at most `batches` and about `rows` rows (at least one batch); [] when none.

        Moves the position in this transaction: commit it together with the effects, or roll both back.

        Raises:
            FellBehindError: unread batches are gone.
            NotFoundError: `start` was never called.
        """
        raise NotImplementedError

    def lag(self, conn: Connection) -> tuple[int, float]:
        """(batches not read yet, seconds since the oldest of them was committed)."""
        raise NotImplementedError


def trim(conn: Connection, keep: float) -> int:
    """Frees the partitions whose batches are all older than `keep` seconds, and moves the writers to the next one.

    The worker calls it every few seconds with settings.committed_keep. Returns how many partitions were freed. Never
    commits; gives up (0) rather than wait for a long reader.
    """
    raise NotImplementedError


class Listener:
    """A connection that waits for notifications of some channels; reconnects by itself."""

    def __init__(self, settings: Settings, channels: Sequence[str] = (CHANNEL,), name: str = "listen") -> None:
        self.settings, self.channels, self.name = settings, tuple(channels), name

    def wait(self, timeout: float) -> list[tuple[str, str]]:
        """(channel, payload) of what was notified, without repeats; [] when nothing came within `timeout` seconds.

        After a (re)connection it returns at once with (channel, "") for every channel: something may have been missed,
        so drop caches and look.

        Raises:
            UnavailableError: the database is away. Call again.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Closes the connection; a `wait` after it opens a new one."""
        raise NotImplementedError
