"""Tells the process table every few seconds that this process is there and how it is.

The database being away is no error of the heartbeat: it tries again at its next beat, and says nothing meanwhile (the
process itself reports that through its readiness).
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg

import tram
from tram.errors import TramError
from tram.runtime.readiness import Readiness
from tram.settings import Settings
from tram.store import database, processes

INTERVAL = 2.0  # seconds

log = logging.getLogger(__name__)


class Heartbeat:
    """A thread with a connection of its own.

    Args:
        name: of the process: gateway, api, worker, telehealth, simulator.
        settings: resolved ones.
        readiness: its state and reasons are what is told.
        detail: called at each beat for what else people may like to know; small, JSON-able, no personal data.
        interval: seconds between beats.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        readiness: Readiness,
        detail: Callable[[], Mapping[str, Any]] | None = None,
        *,
        interval: float = INTERVAL,
    ) -> None:
        self._name = name
        self._settings = settings
        self._readiness = readiness
        self._detail = detail
        self._interval = interval
        self._started = datetime.now(UTC)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> None:
        """Says "stopped" if the database is there, and ends; waits at most `timeout` seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._beat_while_connected()
            except (psycopg.Error, TramError) as error:
                log.debug("no heartbeat", extra={"reason": type(error).__name__})
                self._stopping.wait(self._interval)

    def _beat_while_connected(self) -> None:
        with database.connect(self._settings, self._name) as conn:
            while not self._stopping.is_set():
                self._beat(conn, self._readiness.state)
                self._stopping.wait(self._interval)
            self._beat(conn, "stopped")

    def _beat(self, conn: database.Connection, state: str) -> None:
        detail: dict[str, Any] = dict(self._detail()) if self._detail else {}
        reasons = self._readiness.reasons
        if reasons:
            detail["reasons"] = reasons
        processes.heartbeat(
            conn,
            self._name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=tram.__version__,
            state=state,
            started=self._started,
            detail=detail,
        )
        conn.commit()
