"""The live hub: latency of the whole path, fan-out in events and CPU, memory of idle viewers.

    python -m bench.live [--only path,fanout,idle] [--seconds 20] [--rate 5000] [--plain]

path     5,000 observations/s published at QoS 1 -> mosquitto -> gateway -> database -> hub -> 200 viewers of 100
         Datastreams each; phenomenonTime is the moment of publishing, latency ends when a viewer has the value.
fanout   batches written straight to the database; events a second that viewers receive, and the hub's CPU for them.
idle     1,000 viewers of one Thing each; what they add to the resident memory of the API process that is the hub.

Everything runs on this machine, viewers and load included; their CPU is printed beside. Load average is printed first.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.load import Publisher
from tests.databases import SECRET_KEY, Database, Server
from tests.people import SECRET, enter
from tests.servers.gateway import Gateway, cpu_seconds, wait_until
from tests.servers.mosquitto import Mosquitto
from tests.servers.service import Service
from tram.store import observations, registry
from tram.store.batch import Batch

THINGS = 5_000
VIEWERS, EACH = 200, 100
FASTEST = 20


class Viewers:
    """A process of viewers."""

    def __init__(self, ports: list[int], viewers: list[list[str]], rate: float = FASTEST) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.live_viewers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        asked = {"ports": ports, "cookie": SECRET, "viewers": viewers, "rate": rate, "values": True}
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


def messages(n: int) -> Iterator[tuple[bytes, bytes]]:
    """One record each, its time the moment it is made."""
    last = 0
    for i in range(n):
        last = max(time.time_ns() // 1000, last + 1)
        when = datetime.fromtimestamp(last / 1e6, UTC).isoformat(timespec="microseconds")
        body = f'{{"ts": "{when}", "relative_humidity": {20 + i % 6000 / 100:.2f}}}'
        yield f"tram/v1/{name(i % THINGS)}/telemetry".encode(), body.encode()


def path(folder: Path, chosen: argparse.Namespace) -> None:
    """Publish -> received."""
    with stage(folder, plain=chosen.plain) as (database, service):
        broker = Mosquitto(folder / "mosquitto", {"autosave_interval": "1800"})
        broker.start()
        gateway = Gateway(folder / "gateway", database.url, broker.url)
        gateway.start()
        viewers = Viewers([service.port], spread(VIEWERS, EACH))
        try:
            publisher = Publisher(broker.port)
            publisher.stream(messages(2 * THINGS), chosen.rate)
            publisher.settle()
            stored(gateway, 2 * THINGS)
            viewers.report()
            count = int(chosen.rate * chosen.seconds)
            before = service.cpu(), cpu_seconds(gateway.pid)
            start = time.perf_counter()
            publisher.stream(messages(count), chosen.rate)
            publisher.settle()
            took = time.perf_counter() - start
            stored(gateway, 2 * THINGS + count)
            time.sleep(2 / FASTEST)
            used = service.cpu() - before[0], cpu_seconds(gateway.pid) - before[1]
            found = viewers.report()
        finally:
            viewers.close()
            gateway.stop()
            broker.stop()
    print(
        f"| {count / took:,.0f} observations/s to {VIEWERS} viewers of {EACH} Datastreams, publish to received: p99 "
        f"| {found['p99']:.0f} ms | under 250 ms; p50 {found['p50']:.0f} ms, largest {found['max']:.0f} ms; "
        f"{found['events'] / took:,.0f} events/s; hub {used[0] / took:.0%}, gateway {used[1] / took:.0%}, viewers "
        f"{found['cpu'] / took:.0%} of a core; {found['closed']} closed |",
        flush=True,
    )


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


def fanout(folder: Path, chosen: argparse.Namespace) -> None:
    """Events a second, and a CPU-second."""
    with stage(folder, plain=chosen.plain) as (database, service):
        for what, every, rows in (
            ("every Datastream five times a second", 0.2, THINGS),
            ("a tenth of the Datastreams ten times a second", 0.1, THINGS // 10),
        ):
            viewers = Viewers([service.port], spread(VIEWERS, EACH))
            try:
                paced(database, 2, every, rows)
                viewers.report()
                before, start = service.cpu(), time.perf_counter()
                paced(database, chosen.seconds, every, rows)
                took, used, found = time.perf_counter() - start, service.cpu() - before, viewers.report()
            finally:
                viewers.close()
            rate = found["events"] / took
            print(
                f"| {what}: events/s received | {rate:,.0f} | frames/s {found['frames'] / took:,.0f}, hub "
                f"{used / took:.0%} of a core, viewers {found['cpu'] / took:.0%}, p99 {found['p99']:.0f} ms |"
            )
            print(f"| … events a CPU-second of the hub | {found['events'] / used:,.0f} | at least 50,000 |", flush=True)


def idle(folder: Path, chosen: argparse.Namespace) -> None:
    """Memory."""
    with stage(folder, plain=chosen.plain) as (database, service):
        warm = Viewers([service.port], spread(10, 1))
        warm.close()
        before = service.rss()
        viewers = Viewers([service.port], [[name(n)] for n in range(1_000)])
        try:
            paced(database, 5, 0.5, THINGS)
            used = service.cpu()
            start = time.perf_counter()
            time.sleep(10)
            used = (service.cpu() - used) / (time.perf_counter() - start)
            added = service.rss() - before
        finally:
            viewers.close()
    print(f"| 1,000 idle viewers add | {added / 1e6:.0f} MB | under 200 MB; hub {used:.1%} of a core for their beats |")


PARTS = {"path": path, "fanout": fanout, "idle": idle}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--plain", action="store_true")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}\n", flush=True)
    print("| what | measured | |\n|---|---|---|", flush=True)
    for part in chosen.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](Path(folder), chosen)


if __name__ == "__main__":
    main()
