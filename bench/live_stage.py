"""What the benchmarks of the live hub share: a stage of database and API, viewers, loads, processes beside.

Everything runs on this machine; the CPU of each process comes from /proc.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.databases import SECRET_KEY, Database, Server
from tests.people import SECRET, enter
from tests.servers.gateway import ROOT, Gateway, cpu_seconds, wait_until
from tests.servers.service import Service
from tram.store import observations, registry
from tram.store.batch import Batch

THINGS = 5_000
VIEWERS, EACH = 200, 100
FASTEST = 20
ALARMING = 97.0
"""A relative humidity that no other message has: those are 20 to 80."""


class Viewers:
    """A process of viewers."""

    def __init__(
        self, ports: list[int], viewers: list[list[str]], rate: float = FASTEST, *, values: bool = True
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.live_viewers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        asked = {"ports": ports, "cookie": SECRET, "viewers": viewers, "rate": rate, "values": values}
        self._say(json.dumps(asked))
        assert self._hear()["open"] == len(viewers)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))

    def report(self) -> dict[str, Any]:
        """What came since the last."""
        self._say("report")
        return self._hear()

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


def name(n: int) -> str:
    return f"dev-{n:04d}"


def spread(viewers: int, each: int) -> list[list[str]]:
    """Each viewer's Things: others for each, all of them watched by about as many."""
    random = np.random.default_rng(1)
    return [[name(int(n)) for n in random.choice(THINGS, each, replace=False)] for _ in range(viewers)]


@contextmanager
def stage(folder: Path, *, plain: bool) -> Iterator[tuple[Database, Service]]:
    """A database with an admin and THINGS Things of one Datastream, and an API process on it."""
    server = Server(folder / "postgres")
    edition = "plain" if plain or server.missing("timescaledb") else "timescaledb"
    try:
        with server.database(edition) as database:
            with database.connect() as conn:
                for first in range(0, THINGS, 500):
                    keys = [registry.Key(name(n), "relative_humidity", "%") for n in range(first, first + 500)]
                    registry.resolve(conn, keys, "open")
                    conn.commit()
            enter(database.settings)
            service = Service(folder / "api", database.url, SECRET_KEY, log_level="warning", http_rate=1_000_000)
            try:
                service.start()
                yield database, service
            finally:
                service.stop()
    finally:
        server.close()


def messages(n: int, alarming: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """One record each, its time the moment it is made; every `alarming`-th has the value ALARMING."""
    last = 0
    for i in range(n):
        last = max(time.time_ns() // 1000, last + 1)
        when = datetime.fromtimestamp(last / 1e6, UTC).isoformat(timespec="microseconds")
        value = ALARMING if alarming and i % alarming == 0 else 20 + i % 6000 / 100
        body = f'{{"ts": "{when}", "relative_humidity": {value:.2f}}}'
        yield f"tram/v1/{name(i % THINGS)}/telemetry".encode(), body.encode()


class Beside:
    """Another of our processes: `python -m <module> <words>`. `settings` are those it needs, by field name."""

    def __init__(self, folder: Path, module: str, *words: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
        environment |= {f"TRAM_{name.upper()}": str(value) for name, value in settings.items()}
        environment |= {"PYTHONPATH": str(ROOT), "TRAM_HOME": str(folder), "TRAM_LOG_LEVEL": "warning"}
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *words], cwd=folder, env=environment, stdout=log, stderr=log
            )

    def cpu(self) -> float:
        """CPU seconds used. Raises RuntimeError: it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._process.args} ended with {self._process.returncode}")
        return cpu_seconds(self._process.pid)

    def stop(self) -> None:
        """Ends it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def family_cpu(backend: int) -> float:
    """CPU seconds of the database server, all its processes: `backend` is one of them."""
    parent = _parent(backend)
    children = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _parent(int(p.name)) == parent]
    return sum(map(_cpu_or_none, [parent, *children]))


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def _cpu_or_none(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:
        return 0.0


def stored(gateway: Gateway, rows: int) -> None:
    """Waits until the gateway has stored so many rows."""
    wait_until(lambda: gateway.metrics().get("tram_gateway_stored_rows_total", 0) >= rows, 120, "all rows are stored")


def paced(database: Database, seconds: float, every: float, rows: int) -> int:
    """Writes batches of `rows` values, one each `every` seconds; returns how many batches."""
    with database.connect() as conn:
        ids = np.array([row.id for row in registry.list_datastreams(conn, limit=THINGS)], np.int32)
        conn.commit()
        random = np.random.default_rng(2)
        start, n = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            some = ids if rows >= len(ids) else np.roll(ids, -n * rows)[:rows]
            now = np.full(len(some), time.time_ns() // 1000, np.int64)
            values = random.normal(50, 10, len(some)).round(2)
            observations.write(conn, Batch(some, now, values, np.zeros(len(some), np.int16)))
            conn.commit()
            n += 1
            time.sleep(max(0.0, start + n * every - time.perf_counter()))
    return n
