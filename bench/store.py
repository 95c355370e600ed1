"""The store's figures beside what they must reach: rollups, latest values, series; on this project's own database.

    python -m bench.store [--rows 2000000] [--plain] [--growth]

5,000 Datastreams every 15 minutes, 20 of them every 10 seconds, for as many days as make --rows (20,000,000: 30 days).
--growth measures at 1,000,000 rows, then fills up to --rows and measures again. CPU is utime + stime of this process
and of the connection's backend, from /proc; the server runs on this machine, its data durable.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.store_write import backend_cpu
from tests.databases import SECRET_KEY
from tests.servers.api import serve
from tram.clock import DAY, SECOND
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import database, history, migrate, observations, registry, series
from tram.store.batch import Batch
from tram.store.committed import trim
from tram.store.database import Connection
from tram.store.edition import detect
from tram.store.registry import Key, Resolved
from tram.store.rollups import Rollups
from tram.store.sqlfile import load

DATASTREAMS, FAST = 5_000, 20
SLOW_STEP, FAST_STEP = 900 * SECOND, 10 * SECOND
A_DAY = DATASTREAMS * DAY // SLOW_STEP + FAST * (DAY // FAST_STEP - DAY // SLOW_STEP)
BATCH = 10_000
END = 1_780_012_800_000_000  # a midnight, UTC


class Cost(NamedTuple):
    """CPU seconds: here, and in the backend."""

    client: float
    backend: float

    @classmethod
    def now(cls, conn: Connection) -> "Cost":
        return cls(time.process_time(), backend_cpu(conn.info.backend_pid))

    def since(self, before: "Cost") -> "Cost":
        return Cost(self.client - before.client, self.backend - before.backend)

    @property
    def total(self) -> float:
        return self.client + self.backend


def make_datastreams(conn: Connection) -> np.ndarray:
    """5,000 Datastreams of 500 Things; their ids."""
    names = [Key(f"bench-{k // 10:03}", f"p{k % 10}") for k in range(DATASTREAMS)]
    ids = []
    for start in range(0, len(names), 1000):
        found = registry.resolve(conn, names[start : start + 1000], "open")
        ids += [answer.datastream_id for answer in found.values() if isinstance(answer, Resolved)]
    conn.commit()
    return np.array(sorted(ids), np.int32)


def fill(ids: np.ndarray, start: int, end: int, random: np.random.Generator) -> Iterator[Batch]:
    """Batches in order of arrival, an hour at a time."""
    for hour in range(start, end, 3600 * SECOND):
        parts = []
        for who, step in ((ids[FAST:], SLOW_STEP), (ids[:FAST], FAST_STEP)):
            times = np.arange(hour, min(hour + 3600 * SECOND, end), step)
            parts.append((np.repeat(times, len(who)), np.tile(who, len(times))))
        times = np.concatenate([part[0] for part in parts])
        who = np.concatenate([part[1] for part in parts])
        order = np.argsort(times, kind="stable")
        times, who = times[order], who[order]
        result = np.round(random.normal(20, 5, len(times)), 2)
        for at in range(0, len(times), BATCH):
            part = slice(at, at + BATCH)
            yield Batch(who[part], times[part], result[part], np.zeros(len(times[part]), np.int16))


def store(conn: Connection, batches: Iterator[Batch], rollups: Rollups, every: int = 200_000) -> tuple[int, Cost, Cost]:
    """Writes, and every so many rows keeps the rollups; (rows, what writing cost, what the rollups cost)."""
    rows = pending = 0
    writing = keeping = Cost(0.0, 0.0)

    def keep() -> Cost:
        before = Cost.now(conn)
        while rollups.step(conn).batches:
            conn.commit()
        conn.commit()
        return Cost.now(conn).since(before)

    before = Cost.now(conn)
    for batch in batches:
        observations.write(conn, batch)
        conn.commit()
        rows, pending = rows + len(batch), pending + len(batch)
        if pending >= every:
            writing = Cost(*(a + b for a, b in zip(writing, Cost.now(conn).since(before), strict=True)))
            keeping = Cost(*(a + b for a, b in zip(keeping, keep(), strict=True)))
            pending = 0
            trim(conn, 60.0)
            conn.commit()
            before = Cost.now(conn)
    writing = Cost(*(a + b for a, b in zip(writing, Cost.now(conn).since(before), strict=True)))
    keeping = Cost(*(a + b for a, b in zip(keeping, keep(), strict=True)))
    return rows, writing, keeping


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    """The median wall time."""
    work()
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def line(what: str, target: str, measured: str) -> None:
    """One row of the table."""
    print(f"| {what:58} | {target:>16} | {measured:>22} |", flush=True)


def queries(conn: Connection, ids: np.ndarray, end: int) -> dict[str, float]:
    """Milliseconds of each query."""
    fast, slow = int(ids[3]), int(ids[4000])
    return {
        "latest of all 5,000, as Python values": milliseconds(lambda: series.latest(conn)),
        "extents of all 5,000": milliseconds(lambda: series.extents(conn)),
        "24 h by minute of one": milliseconds(lambda: history.history(conn, fast, end - DAY, end, level="1m")),
        "30 d by hour of one": milliseconds(lambda: history.history(conn, fast, end - 30 * DAY, end, level="1h")),
        "24 h raw of one": milliseconds(lambda: series.series(conn, slow, end - DAY, end)),
    }


def latest_in_sql(conn: Connection) -> float:
    """Milliseconds that the database itself takes for the latest of all; the fastest of 15."""
    arguments: dict[str, object] = {"after": 0, "thing": None, "limit": 10_000, "ids": []}
    spent = []
    for _ in range(15):
        found = conn.execute("EXPLAIN (ANALYZE, TIMING OFF) " + load("series")["latest_kept"], arguments).fetchall()
        spent.append(float(next(row[0] for row in found if "Execution Time" in row[0]).split()[2]))
    return min(spent)


def over_http(settings: Settings) -> float:
    """Milliseconds for the latest of all over HTTP, from the request to its last byte."""
    with serve(settings) as api:
        assert len(api.get("/api/latest", limit=10_000).json()["items"]) == DATASTREAMS
        return milliseconds(lambda: api.get("/api/latest", limit=10_000), 15)


def exports(settings: Settings, folder: Path, *some: str) -> None:
    """Largest resident memory of `tram export`, by format; of everything, or what the words `some` say."""
    for kind in ("csv", "parquet", "geojson"):
        target = folder / f"all.{kind}"
        began = time.perf_counter()
        environment = os.environ | {"TRAM_DATABASE_URL": settings.database_url}
        program = subprocess.Popen([sys.executable, "-m", "tram.cli", "export", str(target), *some], env=environment)
        largest = 0
        while program.poll() is None:  # VmHWM is of this program alone; ru_maxrss would have what its parent had
            status = Path(f"/proc/{program.pid}/status").read_text()
            largest = max([largest, *(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM"))])
            time.sleep(0.02)
        assert program.returncode == 0
        took, size = time.perf_counter() - began, target.stat().st_size
        target.unlink()
        line(f"export of all as {kind}: {size >> 20} MiB, {took:.0f} s", "< 200 MB", f"{largest / 1024:.0f} MB")


TARGETS = {"24 h by minute of one": "10", "30 d by hour of one": "10"}


def stream_of_10000(conn: Connection, ids: np.ndarray, rollups: Rollups, seconds: int = 60) -> None:
    """What the rollups cost while 10,000 obs/s arrive, each Datastream twice a second."""
    random = np.random.default_rng(2)

    def batches() -> Iterator[Batch]:
        for second in range(seconds):
            times = END + second * SECOND + np.repeat([0, 500_000], len(ids))
            who = np.tile(ids, 2)
            yield Batch(who, times, np.round(random.normal(20, 5, len(who)), 2), np.zeros(len(who), np.int16))

    rows, writing, keeping = store(conn, batches(), rollups)
    line("store's own CPU a row, 10,000 obs/s (client + backend)", "", f"{writing.total / rows * 1e6:.2f} us")
    line("rollups and latest, CPU a row (client + backend)", "", f"{keeping.total / rows * 1e6:.2f} us")
    line("  of it the worker / the backend", "",
         f"{keeping.client / rows * 1e6:.2f} / {keeping.backend / rows * 1e6:.2f} us")  # fmt: skip
    line("  beside the store's own write path", "<= 15 % of ingest", f"{keeping.total / writing.total:.0%}")


def main() -> None:
    """Fills a database and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        try:
            url = server.start().url
            settings = Settings(database_url=url, database_timeout=120.0)
            with closing(database.connect(settings, "bench")) as conn:
                migrate.migrate(conn, plain=arguments.plain)
                print(f"{detect(conn)}, {datetime.now(UTC):%Y-%m-%d}")
                conn.commit()
                measure(conn, arguments.rows, growth=arguments.growth)
            settings = replace(settings, secret_key=SECRET_KEY)
            line("latest of all over HTTP", "60 ms", f"{over_http(settings):.0f} ms")
            exports(settings, Path(folder))
        finally:
            server.stop()


def measure(conn: Connection, wanted: int, *, growth: bool) -> None:
    """Everything, on one connection."""
    rollups = Rollups(7)
    rollups.start(conn)
    ids = make_datastreams(conn)
    hours = max(24, round(wanted / A_DAY * 24))
    start, first = END - hours * 3600 * SECOND, 0
    before: dict[str, float] = {}
    random = np.random.default_rng(1)
    if growth:
        small = round(1_000_000 / A_DAY * 24)
        first, writing, _ = store(conn, fill(ids, start, start + small * 3600 * SECOND, random), rollups)
        conn.execute("ANALYZE")
        conn.commit()
        before = queries(conn, ids, start + small * 3600 * SECOND)
        before["CPU us a row written"] = writing.total / first * 1e6
        start += small * 3600 * SECOND
    began = time.perf_counter()
    rows, writing, keeping = store(conn, fill(ids, start, END, random), rollups)
    took = time.perf_counter() - began
    conn.execute("ANALYZE")
    conn.commit()
    print("| what | must reach | measured |\n|---|---|---|")
    line(f"filled: {first + rows:,} rows, {len(ids):,} Datastreams", "", f"{rows / took / 1000:.0f} krows/s")
    line("writing, CPU a row (client + backend)", "", f"{writing.total / rows * 1e6:.2f} us")
    line("rollups while filling, CPU a row", "", f"{keeping.total / rows * 1e6:.2f} us")
    after = queries(conn, ids, END)
    line("latest of all 5,000, in SQL", "15 ms", f"{latest_in_sql(conn):.1f} ms")
    for what, spent in after.items():
        line(what, f"{TARGETS[what]} ms" if what in TARGETS else "", f"{spent:.1f} ms")
    if growth:
        after["CPU us a row written"] = writing.total / rows * 1e6
        for what, spent in after.items():
            line(f"growth: {what}", "<= 1.3 x", f"{spent / before[what]:.2f} x ({before[what]:.2f})")
    stream_of_10000(conn, ids, rollups)


if __name__ == "__main__":
    main()
