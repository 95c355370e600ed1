"""What a row and a query cost in a large store beside a small one, in one run and by turns: the machine's moods cancel.

    python -m bench.store_beside --large FOLDER [--seconds 200] [--pace 0] [--plain]

FOLDER is what bench.store_grow fills; the small one is made anew, two days in a temporary folder (1.3 M rows): room
that an earlier run's rows left would be filled again, which costs more than new pages do. Both servers are up, each
with a connection of its own. A second's 10,000 rows are written to one, then to the other, the order changing from
second to second; every 20 s the rollups are kept in each; the queries take turns one by one. CPU is that of this
process and of the backend, from the scheduler's count in nanoseconds. A ratio is one of sums; beside it stand those of
ten parts of the run. What the servers counted meanwhile says where a difference is from, with the CPU of their other
processes, checkpoints and vacuum included. As fast as it can, or a second in --pace seconds.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.store import A_DAY, make_datastreams
from bench.store_grow import BEGIN, clear, days_there, grow
from bench.store_write import TICKS
from tests.databases import SECRET_KEY
from tram.clock import DAY, SECOND
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import database, history, migrate, observations, series
from tram.store.batch import Batch
from tram.store.database import Connection
from tram.store.edition import detect
from tram.store.rollups import Rollups

WARM, TURN, PARTS = 40, 20, 10
SMALL_DAYS = 2
ASKED = 41
COUNTED = """
SELECT w.wal_records, w.wal_fpi, w.wal_bytes, c.checkpoints_timed + c.checkpoints_req, c.buffers_backend,
       (SELECT sum(evictions) FROM pg_stat_io WHERE backend_type = 'client backend'),
       (SELECT sum(reads) FROM pg_stat_io WHERE backend_type = 'client backend'),
       (SELECT sum(extends) FROM pg_stat_io WHERE backend_type = 'client backend'),
       (SELECT sum(autovacuum_count) FROM pg_stat_user_tables),
       (SELECT sum(idx_blks_hit + idx_blks_read) FROM pg_statio_user_indexes)
FROM pg_stat_wal w, pg_stat_bgwriter c
"""
NAMES = ("WAL records", "full-page images", "WAL bytes", "checkpoints", "buffers written by backends", "evictions",
         "reads", "extends", "autovacuums", "index pages touched", "ms of CPU, other processes")  # fmt: skip


@dataclass
class Store:
    """One of the two."""

    name: str
    settings: Settings
    conn: Connection
    ids: np.ndarray
    end: int
    rollups: Rollups
    server: PostgresServer

    def begin(self) -> int:
        """When the rows of this run begin: days after the history, and after what an earlier run wrote and removed.

        Removed rows stand in the index until a vacuum, which the large table waits for longest: the same times again
        would ask for each of them.
        """
        return self.end + 7 * DAY + int(time.time() - 1_790_000_000) * 20 * SECOND

    def counted(self) -> list[float]:
        """NAMES so far."""
        self.conn.execute("SELECT pg_stat_force_next_flush()")
        self.conn.commit()
        row = self.conn.execute(COUNTED).fetchone()
        assert row is not None
        self.conn.commit()
        return [*(float(value) for value in row), self.server_ms()]

    def server_ms(self) -> float:
        """CPU of all the server's processes but our backend: checkpointer, writers, vacuum."""
        pid, own = self.server.pid, self.conn.info.backend_pid
        assert pid is not None
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        alive = sum(scheduled(int(child)) for child in children if int(child) != own) / 1e6
        ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return alive + (int(ended[13]) + int(ended[14])) * 1000 / TICKS


@dataclass
class Spent:
    """Nanoseconds of CPU, by part of the run."""

    client: np.ndarray
    backend: np.ndarray

    @classmethod
    def none(cls) -> "Spent":
        return cls(np.zeros(PARTS), np.zeros(PARTS))

    @property
    def total(self) -> np.ndarray:
        return self.client + self.backend


def scheduled(pid: int) -> int:
    """Nanoseconds of CPU of a process, as the scheduler counts it: exact while it waits for us."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


@contextmanager
def spending(conn: Connection, into: Spent, part: int | None) -> Iterator[None]:
    """Adds what is spent inside."""
    client, backend = time.process_time_ns(), scheduled(conn.info.backend_pid)
    yield
    if part is not None:
        into.client[part] += time.process_time_ns() - client
        into.backend[part] += scheduled(conn.info.backend_pid) - backend


@contextmanager
def opened(name: str, folder: Path, days: int, *, plain: bool) -> Iterator[Store]:
    """Starts the server over the folder, and makes so many days where there are fewer."""
    folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(folder / "postgres")
    try:
        settings = Settings(database_url=server.start().url, database_timeout=600.0, secret_key=SECRET_KEY)
        with closing(database.connect(settings, "bench")) as conn:
            migrate.migrate(conn, plain=plain)
            rollups = Rollups(7)
            rollups.start(conn)
            keep(conn, rollups)
            ids = make_datastreams(conn)
            if (there := days_there(conn, ids)) < days:
                there = grow(conn, folder, ids, days)
            conn.commit()
            print(f"{name}: {detect(conn)}, {there * A_DAY:,} rows, backend {conn.info.backend_pid}", flush=True)
            yield Store(name, settings, conn, ids, BEGIN + there * DAY, rollups, server)
    finally:
        server.stop()


def keep(conn: Connection, rollups: Rollups) -> None:
    """What the worker does every 20 s."""
    while rollups.step(conn).batches:
        conn.commit()
    conn.commit()


def write_by_turns(stores: tuple[Store, Store], seconds: int, pace: float) -> tuple[dict[str, Spent], dict[str, Spent]]:
    """What writing and what the rollups cost in each."""
    begins = {store.name: store.begin() for store in stores}
    writing = {store.name: Spent.none() for store in stores}
    keeping = {store.name: Spent.none() for store in stores}
    counted: dict[str, list[float]] = {}
    random = np.random.default_rng(4)
    for second in range(-WARM, seconds):
        part = second * PARTS // seconds if second >= 0 else None
        began = time.monotonic()
        if second == 0:
            counted = {store.name: store.counted() for store in stores}
        result = np.round(random.normal(20, 5, 2 * len(stores[0].ids)), 2)
        for store in stores if second % 2 else stores[::-1]:
            times = begins[store.name] + second * SECOND + np.repeat([0, 500_000], len(store.ids))
            batch = Batch(np.tile(store.ids, 2), times, result, np.zeros(len(result), np.int16))
            with spending(store.conn, writing[store.name], part):
                observations.write(store.conn, batch)
                store.conn.commit()
        if second % TURN == TURN - 1:
            for store in stores if second // TURN % 2 else stores[::-1]:
                with spending(store.conn, keeping[store.name], part):
                    keep(store.conn, store.rollups)
        time.sleep(max(0.0, began + pace - time.monotonic()))
    print(f"| {'counted while writing':28} | {' | '.join(f'{store.name:>13}' for store in stores)} |")
    after = {store.name: store.counted() for store in stores}
    for i, what in enumerate(NAMES):
        print(f"| {what:28} | {' | '.join(f'{after[s.name][i] - counted[s.name][i]:13,.0f}' for s in stores)} |")
    return writing, keeping


def asked(store: Store) -> dict[str, Callable[[], object]]:
    """The queries."""
    conn, end, fast, slow = store.conn, store.end, int(store.ids[3]), int(store.ids[4000])
    return {
        "latest of all, as Python values": lambda: series.latest(conn),
        "24 h by minute of one": lambda: history.history(conn, fast, end - DAY, end, level="1m"),
        "24 h by hour of one": lambda: history.history(conn, fast, end - DAY, end, level="1h"),
        "24 h raw of one": lambda: series.series(conn, slow, end - DAY, end),
    }


def ask_by_turns(stores: tuple[Store, Store]) -> None:
    """Prints the median wall time, and the ratio of CPU (client and backend)."""
    questions = [asked(store) for store in stores]
    for what in questions[0]:
        walls: list[list[float]] = [[], []]
        spent = [Spent.none(), Spent.none()]
        for i in range(-1, ASKED):
            for at in (0, 1) if i % 2 else (1, 0):
                began = time.perf_counter()
                with spending(stores[at].conn, spent[at], i % PARTS if i >= 0 else None):
                    questions[at][what]()
                if i >= 0:
                    walls[at].append((time.perf_counter() - began) * 1000)
        medians = [statistics.median(wall) for wall in walls]
        print(f"| {what:32} | {medians[0]:6.2f} ms | {medians[1]:6.2f} ms | {medians[0] / medians[1]:5.2f} x wall "
              f"| {spent[0].total.sum() / spent[1].total.sum():5.2f} x CPU |", flush=True)  # fmt: skip
    for store in stores:
        store.conn.rollback()


def told(what: str, spent: dict[str, Spent], rows: int) -> None:
    """One line a part: microseconds a row of each, and their ratio with its spread."""
    large, small = spent.values()
    for which in ("client", "backend", "total"):
        a, b = getattr(large, which), getattr(small, which)
        some = b > 0
        ratios = " ".join(f"{ratio:.2f}" for ratio in a[some] / b[some])
        print(f"| {what}, {which:8} | {a.sum() / rows / 1000:5.2f} us | {b.sum() / rows / 1000:5.2f} us "
              f"| {a.sum() / b.sum():5.2f} x | {ratios} |", flush=True)  # fmt: skip


def leave(store: Store) -> None:
    """Removes what was written, and gives its room back, so that another run's rows take new pages again."""
    clear(store.conn, store.ids, store.end)
    store.conn.autocommit = True
    store.conn.execute("SET statement_timeout = 0")
    for table in ("observation", "rollup_1m", "rollup_1h", "rollup_1d"):
        store.conn.execute(f"VACUUM {table}".encode())


def main() -> None:
    """Opens both, measures, removes what it wrote."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", type=Path, required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--seconds", type=int, default=200)
    parser.add_argument("--pace", type=float, default=0.0, metavar="SECONDS")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        opened("small", Path(folder), SMALL_DAYS, plain=arguments.plain) as small,
        opened("large", arguments.large, SMALL_DAYS, plain=arguments.plain) as large,
    ):
        stores = (large, small)
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.1f}")
        ask_by_turns(stores)
        writing, keeping = write_by_turns(stores, arguments.seconds, arguments.pace)
        rows = arguments.seconds * 2 * len(large.ids)
        told("row written", writing, rows)
        told("row of rollups", keeping, rows)
        print(f"load average {os.getloadavg()[0]:.1f}")
        leave(large)


if __name__ == "__main__":
    main()
