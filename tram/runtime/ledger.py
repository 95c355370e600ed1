"""What has no transaction of its own: refusals and limits, written as events (and audit rows) by one thread.

Bounded: when the queue is full the newest is dropped and counted, so that a flood of refusals slows nobody down. The
same refusal of the same principal is written once a minute with how often it came.
"""

import logging
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter
from psycopg_pool import ConnectionPool

from tram.errors import UnavailableError
from tram.identity.principal import Principal
from tram.store import audit, events
from tram.store.database import Connection, available

log = logging.getLogger(__name__)

WAITING = 2_000
AGAIN = 60.0  # seconds within which the same is not written twice
REMEMBERED = 5_000
REFUSED = Counter("tram_refused", "Requests refused", ["code"])
DROPPED = Counter("tram_security_events_dropped", "Security events that were not written, the queue being full")


@dataclass(frozen=True, slots=True)
class Note:
    """An event to write, and whether it belongs in the audit too."""

    code: str
    subject: str
    origin: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor: Principal | None = None
    operation: str = ""
    target: str = ""
    why: str = ""


class Ledger:
    """The thread and its queue."""

    def __init__(self, pool: ConnectionPool[Connection]) -> None:
        self._pool = pool
        self._queue: queue.Queue[tuple[int, Note, int] | None] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, ...], tuple[float, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, for at most two seconds, and ends."""
        self._stop.set()
        with suppress(queue.Full):
            self._queue.put_nowait(None)  # wakes it
        self._thread.join(2)

    def note(self, note: Note) -> None:
        """Never blocks, never raises."""
        now = time.time()
        key = (note.code, note.subject, note.origin, note.operation, note.target)
        with self._lock:
            last, held = self._recent.get(key, (0.0, 0))
            if now - last < AGAIN:
                self._recent[key] = (last, held + 1)
                return
            if len(self._recent) >= REMEMBERED:
                self._recent = {k: v for k, v in self._recent.items() if now - v[0] < AGAIN}
                if len(self._recent) >= REMEMBERED:
                    self._recent.clear()
            self._recent[key] = (now, 0)
        try:
            self._queue.put_nowait((int(now * 1e6), note, held))
        except queue.Full:
            DROPPED.inc()

    def _write(self) -> None:
        while not (self._stop.is_set() and self._queue.empty()):
            try:
                waiting = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            if waiting is None:
                continue
            at, note, held = waiting
            try:
                with available(), self._pool.connection(timeout=5) as conn:
                    detail = {**note.detail, **({"repeated": held} if held else {})}
                    if note.operation:
                        detail["operation"] = note.operation
                    events.security(conn, note.code, at=at, subject=note.subject, origin=note.origin, detail=detail)
                    if note.actor is not None:
                        audit.write(
                            conn, note.actor, note.operation, at=at, target=note.target, outcome="refused",
                            why=note.why, origin=note.origin,
                        )  # fmt: skip
            except UnavailableError:
                DROPPED.inc()
                if self._stop.is_set():
                    return
                self._stop.wait(1)
            except Exception:
                DROPPED.inc()
                log.exception("a security event was not written", extra={"code": note.code})
