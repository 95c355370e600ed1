"""Calculated Datastreams, kept in a thread of the worker: docs/calculated.md, docs/adr/0127.

Several workers may run: the one whose session holds an advisory lock computes. What fails is told and tried again; the
position and the marks are in the database, so nothing is lost and nothing happens twice.
"""

import logging
import threading

import psycopg
from prometheus_client import Counter, Gauge

from tram.errors import UnavailableError
from tram.settings import Settings
from tram.store.calculated import CHANNEL
from tram.store.calculating import Calculator
from tram.store.committed import CHANNEL as COMMITTED
from tram.store.committed import FellBehindError
from tram.store.database import Connection, available, connect
from tram.store.notify import Listener

log = logging.getLogger(__name__)

LOCK = (0x7472616D, 127)
RETRY = 2.0
WAIT = 1.0
"""Seconds after which it looks, also when nothing was notified."""
PAUSE = 0.05
"""Seconds between two rounds: what came meanwhile is taken together."""

ROUNDS = Counter("tram_calculated_rounds", "Transactions that computed values")
LEADER = Gauge("tram_calculated_leader", "1 while this process computes the calculated Datastreams")


class Calculation:
    """The thread. `stopping` ends it."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        self._settings, self._stopping = settings, stopping
        self._calculator = Calculator()
        self._thread = threading.Thread(target=self.run, name="calculated", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self, timeout: float = 10) -> None:
        """Waits for its end, after `stopping` was set."""
        self._thread.join(timeout)

    def run(self) -> None:
        """Until `stopping`. The database away only pauses it."""
        listener = Listener(self._settings, (COMMITTED, CHANNEL), "calculated-listen")
        while not self._stopping.is_set():
            try:
                with connect(self._settings, "calculated") as conn:
                    if self._leads(conn):
                        self._serve(conn, listener)
            except (UnavailableError, psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("database: %s", str(error).strip().split("\n")[0])
            except Exception:
                # What nobody foresaw must not end it for good; neither position nor marks have moved.
                log.exception("computing failed; it goes on")
            LEADER.set(0)
            self._stopping.wait(RETRY)
        listener.close()

    def _leads(self, conn: Connection) -> bool:
        with available():
            row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
            conn.commit()
        LEADER.set(bool(row and row[0]))
        return bool(row and row[0])

    def _serve(self, conn: Connection, listener: Listener) -> None:
        with available():
            self._calculator.start(conn)
            conn.commit()
        while not self._stopping.is_set():
            if not self._round(conn):
                listener.wait(WAIT)
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
