"""Waiting for NOTIFY on a connection of its own."""

import threading
import time
from collections.abc import Sequence

from psycopg import sql

from tram.errors import UnavailableError
from tram.settings import Settings
from tram.store.database import Connection, available, connect

SLICE = 0.1
"""Seconds within which a `wait` notices that it shall end."""


class Listener:
    """A connection that waits for notifications of some channels; a lost one is opened again by the next `wait`.

    Channels: tram.store.committed.CHANNEL, tram.store.registry.CHANNEL. For one thread.
    """

    def __init__(self, settings: Settings, channels: Sequence[str] = ("tram_committed",), name: str = "listen") -> None:
        self.channels = tuple(channels)
        self._settings, self._name = settings, name
        self._conn: Connection | None = None

    def wait(self, timeout: float, stopping: threading.Event | None = None) -> list[tuple[str, str]]:
        """(channel, payload) of what was notified, without repeats; [] when nothing came within `timeout` seconds, or
        before `stopping` was set.

        After a (re)connection it returns at once with (channel, "") for every channel: something may have been missed,
        so drop caches and look.

        Raises:
            UnavailableError: the database is away. Call again, with backoff.
        """
        try:
            with available():
                if self._conn is None:
                    self._open()
                    return [(channel, "") for channel in self.channels]
                deadline, longest = time.monotonic() + timeout, timeout if stopping is None else SLICE
                while True:
                    left = max(0.0, deadline - time.monotonic())
                    found = list(self._conn.notifies(timeout=min(left, longest), stop_after=1))
                    if found or left <= longest or (stopping is not None and stopping.is_set()):
                        return list(dict.fromkeys((n.channel, n.payload) for n in found))
        except UnavailableError:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection; a `wait` after it opens a new one."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _open(self) -> None:
        conn = connect(self._settings, self._name, autocommit=True)
        try:
            for channel in self.channels:
                conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            conn.close()
            raise
        self._conn = conn
