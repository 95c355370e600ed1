"""What the first page shows: one picture of the whole system, computed once for all who look.

Monitor (a thread, once a second): is the database there? what did the committed stream say?
Overview (on request, cached): counts, processes, newest values, properties, places.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg_pool import ConnectionPool

from services.cached import Cached
from services.province import Province, summarise
from services.queries import QUERIES
from services.tally import Rates, Tally
from tram.errors import UnavailableError
from tram.runtime.readiness import Readiness
from tram.store import edition, processes, series
from tram.store.database import Connection, available
from tram.store.processes import ProcessRow
from tram.store.series import Counts, Value

log = logging.getLogger(__name__)

PERIOD = 1.0  # seconds between looks at the stream
CONNECTION_SECONDS = 0.8
BACKLOG = 3000  # batches read at the start for the plot of the rate
STEP = 10_000  # most batches of one look
COUNT_SECONDS = 300  # longest the one count of everything may take
NEWEST = 200
POINTS = 40  # of one trend
STREAMS = 10_000  # most Datastreams that the summary of the province looks at


@dataclass(frozen=True, slots=True)
class Server:
    """What the database is."""

    edition: str
    version: str
    size: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is the case at `at` (Unix seconds by the database's clock). `observations` is exact when `exact`."""

    at: float
    server: Server
    counts: Counts
    observations: int
    exact: bool
    rates: Rates
    last_commit: float | None
    processes: list[ProcessRow]


@dataclass(frozen=True, slots=True)
class Queues:
    """What waits. `readers`: (name, batches behind, seconds since the oldest of them was stored)."""

    readers: list[tuple[str, int, float]]
    pending_messages: int
    redecoding: int
    watched: int


class Overview:
    """Answers from one pool; every part is cached for a moment and bounded in size."""

    def __init__(self, pool: ConnectionPool[Connection], readiness: Readiness) -> None:
        self._pool, self._readiness = pool, readiness
        self._tally = Tally()
        self._looked = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server = Cached(self._ask_server, 60)
        self._snapshot = Cached(self._ask_snapshot, 0.5)
        self._newest = Cached(self._ask_newest, 0.5)
        self._province = Cached(self._ask_province, 4)
        self._queues = Cached(self._ask_queues, 2)
        self._tables = Cached(self._ask_tables, 60)

    def start(self) -> None:
        """Begins to watch the database and the stream."""
        for name, work in (("monitor", self._watch), ("count", self._count)):
            self._threads.append(threading.Thread(target=work, name=name, daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        """Ends watching; waits a moment for the threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2)

    def snapshot(self) -> Snapshot:
        """The counts and the processes. Raises UnavailableError."""
        return self._snapshot.get()

    def newest(self, limit: int) -> list[Value]:
        """The values stored last, newest first, at most 200. Raises UnavailableError."""
        return self._newest.get()[:limit]

    def province(self) -> Province:
        """What is measured where, from the latest values. Raises UnavailableError."""
        return self._province.get()

    def queues(self) -> Queues:
        """What waits where. Raises UnavailableError."""
        return self._queues.get()

    def tables(self) -> list[tuple[str, int]]:
        """The largest tables and their bytes. Raises UnavailableError."""
        return self._tables.get()

    def trends(self, ids: list[int]) -> dict[int, list[float | None]]:
        """The last results of each Datastream (at most POINTS, of the last day), oldest first."""
        return self._ask_trends("trends", ids)

    def hourly(self, ids: list[int]) -> dict[int, list[float | None]]:
        """Means of each of the last 24 hours, oldest first; None where there is no number. From the rollups."""
        return self._ask_trends("trends_hourly", ids)

    def _ask_trends(self, query: str, ids: list[int]) -> dict[int, list[float | None]]:
        with self._connection() as conn:
            rows = conn.execute(QUERIES[query], {"ids": ids, "points": POINTS}).fetchall()
        return {int(id): list(results) for id, results in rows}

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with available(), self._pool.connection(timeout=CONNECTION_SECONDS) as conn:
            yield conn

    def _ask_server(self) -> Server:
        with self._connection() as conn:
            row = conn.execute(QUERIES["server"]).fetchone()
            assert row is not None
            return Server(edition.detect(conn).value, str(row[0]).split(" ")[0], int(row[1]))

    def _ask_queues(self) -> Queues:
        with self._connection() as conn:
            readers = conn.execute(QUERIES["readers"]).fetchall()
            row = conn.execute(QUERIES["waiting"]).fetchone()
        assert row is not None
        return Queues([(str(name), int(n), float(age)) for name, n, age in readers], *map(int, row))

    def _ask_tables(self) -> list[tuple[str, int]]:
        with self._connection() as conn:
            return [(str(name), int(size)) for name, size in conn.execute(QUERIES["tables"])]

    def _ask_snapshot(self) -> Snapshot:
        server = self._server.get()
        with self._connection() as conn:
            counts = series.counts(conn)
            running = processes.list_processes(conn)
            row = conn.execute(QUERIES["moment"]).fetchone()
        assert row is not None
        now = float(row[0])
        with self._lock:
            total = self._tally.total
            return Snapshot(
                at=now,
                server=server,
                counts=counts,
                observations=counts.observations if total is None else total,
                exact=total is not None,
                rates=self._tally.rates(self._looked or now),
                last_commit=self._tally.last,
                processes=running,
            )

    def _ask_newest(self) -> list[Value]:
        with self._connection() as conn:
            return series.newest(conn, NEWEST)

    def _ask_province(self) -> Province:
        with self._connection() as conn:
            values = series.latest(conn, limit=STREAMS)
            places = conn.execute(QUERIES["places"], {"limit": STREAMS}).fetchall()
        return summarise(values, places, datetime.now(UTC))

    def _watch(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                self._look()
                self._readiness.met("database")
            except Exception as error:
                self._readiness.lost("database", str(error).split("\n")[0])
                if not isinstance(error, UnavailableError):
                    log.exception("the watch failed")
                self._pool.check()
            self._stop.wait(max(0.05, PERIOD - (time.monotonic() - started)))

    def _look(self) -> None:
        with self._connection() as conn:
            with self._lock:
                position = self._tally.position
            if position == 0:
                row = conn.execute(QUERIES["stream_end"]).fetchone()
                position = max(0, (row[0] if row else 0) - BACKLOG)
            moment = conn.execute(QUERIES["moment"]).fetchone()
            rows = conn.execute(QUERIES["stream"], {"position": position, "limit": STEP}).fetchall()
        with self._lock:
            # The seconds that ended before this look are whole: what was committed in them has been seen.
            self._looked = float(moment[0]) if moment else 0.0
            for seq, at, op, n in rows:
                self._tally.add(seq, at, op, n)

    def _count(self) -> None:
        while not self._stop.is_set():
            try:
                with self._connection() as conn:
                    # Nobody waits for it: on a large store it shall not take every core, either.
                    conn.execute(
                        "SELECT set_config('statement_timeout', %s, true),"
                        " set_config('max_parallel_workers_per_gather', '0', true)",
                        [str(COUNT_SECONDS * 1000)],
                    )
                    row = conn.execute(QUERIES["base"]).fetchone()
                assert row is not None
                with self._lock:
                    self._tally.base(int(row[0]), int(row[1]))
                return
            except psycopg.errors.QueryCanceled:
                log.warning("counting the observations took over %s s: the page shows an estimate", COUNT_SECONDS)
                return
            except (UnavailableError, psycopg.Error):
                self._stop.wait(PERIOD)
