"""Accepted Things: their messages that waited go through the same stages, with the times at which they were received.

Claiming them, storing what they say and removing them is one transaction, so each is replayed once, whatever is killed.
"""

from gateway.deadletter import letter
from gateway.decode import Decoder
from gateway.directory import Directory
from gateway.framing import Chunk
from gateway.metrics import Metrics
from gateway.normalise import Normaliser, Work
from gateway.patience import POISON, PatientDatabase
from gateway.rows import Rows
from gateway.writer import NOTHING, Writer
from tram.store import deadletters, pending
from tram.store.database import Connection
from tram.store.observations import Written
from tram.store.pending import Waiting

MOST = 500  # messages of one transaction


class Replayer:
    """Looks for waiting messages of Things that are active by now."""

    def __init__(
        self, database: PatientDatabase, decoder: Decoder, directory: Directory, normaliser: Normaliser, writer: Writer,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self._database, self._decoder, self._directory = database, decoder, directory
        self._normaliser, self._writer, self._metrics = normaliser, writer, metrics

    def replay(self) -> int:
        """Replays up to MOST messages of one Thing; returns how many.

        Raises:
            UnavailableError, psycopg.Error: it did not work; they wait as before.
        """
        try:
            return self._once(MOST)
        except POISON:  # one of them: alone they are all replayed but that one
            try:
                return self._once(1)
            except POISON as error:
                reason = str(error)
                return self._database.attempt(lambda conn: _bury(conn, reason))

    def _once(self, most: int) -> int:
        try:
            done, work, written = self._database.attempt(lambda conn: self._replay(conn, most))
        except BaseException:
            self._directory.forget()  # what was resolved in the transaction is rolled back with it
            raise
        if done:
            self._metrics.replayed.inc(done)
            self._metrics.count_work(work, written)
        return done

    def _replay(self, conn: Connection, most: int) -> tuple[int, Work | None, Written]:
        waiting = pending.claim(conn, most)
        if not waiting:
            return 0, None, NOTHING
        self._directory.forget_unstored()
        rows = Rows()
        for one in waiting:
            self._decoder.decode(_chunk(one), rows)
        if self._directory.asks:
            self._directory.resolve(conn)
        work = self._normaliser.normalise(rows)
        # A message that spoke for several Things waits once for each: those still held have it already.
        work.held = []
        written = self._writer.store(conn, work, also=lambda conn: pending.done(conn, waiting))
        return len(waiting), work, written


def _bury(conn: Connection, reason: str) -> int:
    """A waiting message that the store will never take goes to the dead letters."""
    waiting = pending.claim(conn, 1)
    for one in waiting:
        m = one.message
        deadletters.insert(conn, [letter("refused-by-store", reason, m.topic, m.payload, m.received)])
    pending.done(conn, waiting)
    return len(waiting)


def _chunk(one: Waiting) -> Chunk:
    message = one.message
    return Chunk([message.topic.encode()], [b""], [message.payload], message.received, size=len(message.payload))
