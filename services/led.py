"""Work that one process does at a time: the one whose session holds an advisory lock. Others stand by.

It is done in that same session: a leader that lost its connection has lost its transaction with it, so two never work
at once. What fails is told and tried again; what was done stands in the database, so nothing is lost by it.
"""

import logging
import threading
from abc import ABC, abstractmethod

import psycopg
from prometheus_client import Gauge

from tram.errors import UnavailableError
from tram.runtime.readiness import Readiness
from tram.settings import Settings
from tram.store.database import Connection, available, connect
from tram.store.notify import Listener

log = logging.getLogger(__name__)

TRAM = 0x7472616D
"""First half of every advisory lock here: "tram"."""
RETRY = 2.0
"""Seconds between tries to lead, or to connect."""

LEADER = Gauge("tram_led", "1 while this process leads the work of that name", ["name"])


class Led(ABC):
    """The work, in a thread (`start`) or in the caller's (`run`). `stopping` ends it.

    Attributes:
        leading: whether this process does it now.
    """

    retry = RETRY

    def __init__(
        self, settings: Settings, stopping: threading.Event, name: str, *, lock: int, channels: tuple[str, ...] = (),
        readiness: Readiness | None = None, autocommit: bool = False,
    ) -> None:  # fmt: skip
        """`name`: the thread's and its connections'; `lock`: the second half of its own lock; `channels` wake it.

        `readiness`: its condition "database" is kept true. `autocommit`: of the session that `serve` is given.
        """
        self._settings, self._stopping, self._name = settings, stopping, name
        self._lock, self._channels, self._readiness, self._autocommit = lock, channels, readiness, autocommit
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)
        self.leading = False

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self, timeout: float = 10) -> None:
        """Waits for its end, after `stopping` was set."""
        self._thread.join(timeout)

    @abstractmethod
    def serve(self, conn: Connection, listener: Listener) -> None:
        """Works until `stopping`; this process leads. Whatever it raises is told, and it begins again."""

    def run(self) -> None:
        """Until `stopping`. The database, or another part, away only pauses it."""
        listener = Listener(self._settings, self._channels, f"{self._name}-listen")
        while not self._stopping.is_set():
            try:
                with connect(self._settings, self._name, autocommit=self._autocommit) as conn:
                    if self._readiness is not None:
                        self._readiness.met("database")
                    if self._leads(conn):
                        self.serve(conn, listener)
            except (UnavailableError, psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._away(str(error).strip().split("\n")[0])
            except Exception:
                # What nobody foresaw must not end it for good; no position has moved.
                log.exception("%s failed; it goes on", self._name)
            self._lead(False)
            self._stopping.wait(self.retry)
        listener.close()

    def _leads(self, conn: Connection) -> bool:
        """Waits for the lock; False: it shall stop."""
        while not self._stopping.is_set():
            with available():
                row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (TRAM, self._lock)).fetchone()
                conn.commit()
            if row and row[0]:
                self._lead(True)
                return True
            self._stopping.wait(self.retry)
        return False

    def _away(self, reason: str) -> None:
        if self._readiness is not None:
            self._readiness.lost("database", reason)
        else:
            log.warning("%s: %s", self._name, reason)

    def _lead(self, leading: bool) -> None:
        if leading != self.leading:
            log.info("%s: %s", self._name, "leads" if leading else "leads no more")
        self.leading = leading
        LEADER.labels(self._name).set(leading)
