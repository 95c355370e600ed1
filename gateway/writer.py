"""One transaction a batch: pending messages, dead letters, the observations with their committed row; then the commit.

The database away: the batch is held (gateway.patience) and what comes after it waits at the broker, unacknowledged.
A batch that the database refuses for what is in it is searched by halves for the rows at fault, each half tried and
rolled back; those become dead letters and the rest is stored. So one poison reading never blocks the others.
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np

from gateway.deadletter import letter
from gateway.metrics import Metrics
from gateway.normalise import Work
from gateway.patience import POISON, PatientDatabase
from tram.store import deadletters, observations, pending
from tram.store.batch import Batch
from tram.store.database import Connection
from tram.store.deadletters import DeadLetter
from tram.store.observations import Written

log = logging.getLogger(__name__)

NOTHING = Written(0, 0, None)


def no_more(conn: Connection) -> None:
    """The usual case: nothing else belongs into the batch's transaction."""


class Writer:
    """Stores works one after the other."""

    def __init__(self, database: PatientDatabase, metrics: Metrics, *, pending_messages: int) -> None:
        self._database, self._metrics, self._pending_messages = database, metrics, pending_messages

    def write(self, work: Work) -> Written:
        """Stores a work, however long it takes.

        Raises:
            StoppedError: the process is to end first; nothing is stored.
        """
        try:
            return self._database.run(lambda conn: self.store(conn, work))
        except POISON as error:
            log.warning("the database refuses a batch for what is in it, searching: %s", error)
            self.isolate(work)
            return self._database.run(lambda conn: self.store(conn, work))

    def store(self, conn: Connection, work: Work, also: Callable[[Connection], None] = no_more) -> Written:
        """Everything of a work in the caller's transaction; the observations last, as the committed stream wants it."""
        if work.held:
            dropped = pending.hold(conn, work.held, self._pending_messages)
            self._metrics.dropped.labels("pending").inc(dropped)
        if work.letters:
            deadletters.insert(conn, work.letters)
        also(conn)
        return observations.write(conn, work.batch) if len(work.batch) else NOTHING

    def isolate(self, work: Work) -> None:
        """Moves the rows that the database refuses from a work's batch to its letters."""
        poison = dict(self._search(work.batch, np.arange(len(work.batch))))
        if not poison:  # not the rows then: the letters, or the held messages; those are not worth the rest
            log.error("%d dead letters and %d held messages cannot be stored", len(work.letters), len(work.held))
            self._metrics.dropped.labels("unstorable").inc(len(work.letters) + len(work.held))
            work.letters, work.held = [], []
        self._metrics.isolated.inc(len(poison))
        work.letters += [self._poison_letter(work, row, reason) for row, reason in poison.items()]
        kept = np.setdiff1d(np.arange(len(work.batch)), np.fromiter(poison, np.intp, len(poison)))
        work.batch, work.sources = work.batch.take(kept), work.sources[kept]

    def _search(self, batch: Batch, rows: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Sequence[tuple[int, str]]:
        """(row, reason) of the rows at fault among these."""
        if not len(rows):
            return []
        try:
            self._database.run(lambda conn: _try(conn, batch.take(rows)))
        except POISON as error:
            if len(rows) == 1:
                return [(int(rows[0]), str(error))]
            middle = len(rows) // 2
            return [*self._search(batch, rows[:middle]), *self._search(batch, rows[middle:])]
        return []

    @staticmethod
    def _poison_letter(work: Work, row: int, reason: str) -> DeadLetter:
        message = work.rows.message(int(work.sources[row]))
        detail = f"datastream {work.batch.datastream_id[row]}: {reason}"
        return letter("refused-by-store", detail, message.topic, message.payload, message.received)


def _try(conn: Connection, batch: Batch) -> None:
    """Finds out whether a batch can be stored, and leaves nothing behind."""
    observations.write(conn, batch)
    conn.rollback()
