"""The pipeline's one database connection, and patience: an action is tried until it is committed.

Whatever goes wrong with the database itself (away, starting, full, locked, not migrated yet) is waited out with
backoff and jitter, the reason standing in /readyz. Only what is wrong with the data is the caller's to handle.
"""

import logging
import random
import threading
from collections.abc import Callable
from typing import TypeVar

import psycopg

from gateway.metrics import Metrics
from tram.errors import PayloadError, TramError
from tram.runtime import Readiness
from tram.settings import Settings
from tram.store import registry
from tram.store.database import Connection, available, connect

log = logging.getLogger(__name__)

CONDITION = "database"
BACKOFF_FIRST, BACKOFF_MOST = 0.1, 5.0  # seconds: doubled from first to most, each shortened by up to half at random
POISON = (PayloadError, psycopg.DataError, psycopg.IntegrityError)
"""What a database says of data it will never take, however often it is asked."""

T = TypeVar("T")


class StoppedError(Exception):
    """The process is to end before the action was committed; what it was about stays at the broker."""


class PatientDatabase:
    """One connection, opened when it is needed. One thread owns it."""

    def __init__(
        self, settings: Settings, readiness: Readiness, metrics: Metrics, stopping: threading.Event
    ) -> None:  # fmt: skip
        self._settings, self._readiness, self._metrics, self._stopping = settings, readiness, metrics, stopping
        self._conn: Connection | None = None
        self._changed: set[str] = set()
        self._missed = True

    def run(self, action: Callable[[Connection], T]) -> T:
        """Does `action` in a transaction and commits it, again and again until that works.

        Raises:
            PayloadError, psycopg.DataError, psycopg.IntegrityError: the data is at fault; nothing was stored.
            StoppedError: the process is to end.
        """
        wait = BACKOFF_FIRST
        while True:
            try:
                return self.attempt(action)
            except POISON:
                raise
            except (psycopg.Error, TramError) as error:
                self._metrics.retries.inc()
                log.warning("the database does not take a batch, trying again: %s", _line(error))
            if self._stopping.wait(wait * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter
                raise StoppedError
            wait = min(2 * wait, BACKOFF_MOST)

    def attempt(self, action: Callable[[Connection], T]) -> T:
        """Does `action` in a transaction and commits it, once.

        Raises:
            UnavailableError, psycopg.Error, TramError: it did not work and nothing is stored, unless the connection was
                lost at the commit itself; so an action must bear being done twice.
        """
        try:
            with available():
                conn = self._open()
                done = action(conn)
                conn.commit()
        except BaseException as error:
            self._undo()
            if not isinstance(error, POISON):
                self._readiness.lost(CONDITION, _line(error))
            raise
        self._readiness.met(CONDITION)
        return done

    def changes(self) -> set[str] | None:
        """Names of the Things that others changed since the last call; None when some may have been missed."""
        missed, self._missed = self._missed, False
        changed, self._changed = self._changed, set()
        return None if missed else changed

    def close(self) -> None:
        """Closes the connection."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()

    def _open(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = conn = connect(self._settings, "gateway")
            own = conn.info.backend_pid
            conn.add_notify_handler(lambda note: self._changed.add(note.payload) if note.pid != own else None)
            conn.execute(f"LISTEN {registry.CHANNEL}")
            conn.commit()
            self._missed = True
        return self._conn

    def _undo(self) -> None:
        conn = self._conn
        try:
            if conn is not None and not conn.closed:
                conn.rollback()
        except psycopg.Error:
            self.close()


def _line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
