"""Dead letters that somebody asked to have read once more: through the same stages, with the times they were received.

One letter a transaction: what it gives is stored, and what came of it is noted at the letter, or nothing is. What is
still bad stays the letter it was, with the reason it has now; no second letter is written. See docs/adr/0034.
"""

import logging

from gateway.decode import Decoder
from gateway.directory import Directory
from gateway.framing import Chunk
from gateway.metrics import Metrics
from gateway.normalise import Normaliser, Work
from gateway.patience import POISON, PatientDatabase
from gateway.rows import Rows
from gateway.writer import NOTHING, Writer
from tram.clock import TimePolicy, to_micros
from tram.store import deadletters
from tram.store.database import Connection
from tram.store.deadletters import DeadLetter, DeadLetterRow
from tram.store.observations import Written

log = logging.getLogger(__name__)

MOST = 200  # letters between two batches: what was asked for does not hold up what comes in


class Redecoder:
    """Looks for letters that were asked for. It shares the directory; what stands still it judges on its own."""

    def __init__(
        self, database: PatientDatabase, decoder: Decoder, directory: Directory, policy: TimePolicy, writer: Writer,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self._database, self._decoder, self._directory = database, decoder, directory
        self._policy, self._writer, self._metrics = policy, writer, metrics

    def run(self) -> int:
        """Reads up to MOST letters; returns how many.

        Raises:
            UnavailableError, psycopg.Error: it did not work; they wait as before.
        """
        done = 0
        while done < MOST and self._next():
            done += 1
        return done

    def _next(self) -> bool:
        try:
            settled = self._database.attempt(self._one)
        except POISON as error:
            self._directory.forget()
            text = str(error)
            settled = self._database.attempt(lambda conn: _refused(conn, text))
        except BaseException:
            self._directory.forget()  # what was resolved in the transaction is rolled back with it
            raise
        if settled is None:
            return False
        outcome, work, written = settled
        self._metrics.redecoded.labels(outcome).inc()
        if work is not None:
            work.letters = []  # they were counted when they were written
            self._metrics.count_work(work, written)
        return True

    def _one(self, conn: Connection) -> tuple[str, Work | None, Written] | None:
        row = deadletters.claim(conn)
        if row is None:
            return None
        if not row.whole or not row.topic:
            deadletters.settle(conn, row.id, "cut" if not row.whole else "nothing")
            return ("cut" if not row.whole else "nothing"), None, NOTHING
        self._directory.forget_unstored()
        rows = Rows()
        self._decoder.decode(_chunk(row), rows)
        if self._directory.asks:
            self._directory.resolve(conn)
        # A memory of its own: old values say nothing of whether the newest stand still.
        work = Normaliser(self._directory, self._policy).normalise(rows)
        letters, work.letters = work.letters, []
        held = bool(work.held)
        written = self._writer.store(conn, work)
        outcome = _outcome(letters, held, work)
        deadletters.settle(conn, row.id, outcome, written.inserted, letters[0] if letters else None)
        return outcome, work, written


def _outcome(letters: list[DeadLetter], held: bool, work: Work) -> str:
    if letters:
        return "still-bad"
    if held:
        return "held"
    return "stored" if len(work.batch) else "nothing"


def _refused(conn: Connection, why: str) -> tuple[str, None, Written] | None:
    row = deadletters.claim(conn)
    if row is None:
        return None
    said = DeadLetter(row.topic, "refused-by-store", " ".join(why.split())[:500], b"", to_micros(row.received))
    deadletters.settle(conn, row.id, "still-bad", why=said)
    return "still-bad", None, NOTHING


def _chunk(row: DeadLetterRow) -> Chunk:
    received = to_micros(row.received)
    return Chunk([row.topic.encode()], [b""], [bytes(row.payload)], received, size=len(row.payload))
