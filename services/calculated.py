"""Calculated Datastreams, kept in a thread of the worker: docs/calculated.md, docs/adr/0127.

Several workers may run: the one whose session holds an advisory lock computes. What fails is told and tried again; the
position and the marks are in the database, so nothing is lost and nothing happens twice.
"""

import logging
import threading

from prometheus_client import Counter

from services.led import Led
from tram.settings import Settings
from tram.store.calculated import CHANNEL
from tram.store.calculating import Calculator
from tram.store.committed import CHANNEL as COMMITTED
from tram.store.committed import FellBehindError
from tram.store.database import Connection, available
from tram.store.notify import Listener

log = logging.getLogger(__name__)

WAIT = 1.0
"""Seconds after which it looks, also when nothing was notified."""
PAUSE = 0.05
"""Seconds between two rounds: what came meanwhile is taken together."""

ROUNDS = Counter("tram_calculated_rounds", "Transactions that computed values")


class Calculation(Led):
    """The thread."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        super().__init__(settings, stopping, "calculated", lock=127, channels=(COMMITTED, CHANNEL))
        self._calculator = Calculator()

    def serve(self, conn: Connection, listener: Listener) -> None:
        with available():
            self._calculator.start(conn)
            conn.commit()
        while not self._stopping.is_set():
            if not self._round(conn):
                listener.wait(WAIT, self._stopping)
            self._stopping.wait(PAUSE)

    def _round(self, conn: Connection) -> bool:
        """Marks what changed and computes a part of what is marked; whether there may be more."""
        try:
            more = self._calculator.mark(conn)
        except FellBehindError as error:
            conn.rollback()
            log.warning("%s; everything is computed anew", error)
            self._calculator.rebuild(conn)
            more = True
        with available():
            conn.commit()
            done = self._calculator.compute(conn)
            conn.commit()
        ROUNDS.inc(done)
        return more or done
