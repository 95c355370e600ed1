"""Ingest: rows per CPU-second of the gateway process, beside the PyPI package mq-bridge 1.2.0 on the same load.

    python -m bench.ingest [--messages 100000] [--seconds 10] [--repeat 3] [--plain] [--only saturation,steady,…]

A real mosquitto, a real PostgreSQL with TimescaleDB's hypertable and its unique index (or --plain), one-record JSON of
118 bytes at QoS 1 from 2,000 devices. CPU is utime + stime of the one process that moves the rows, from /proc, from the
first PUBLISH to the last committed row; start-up is not in it. Both orders in turn; medians, and the ratio of medians.

What is not equal, all to mq-bridge's advantage: its table is filled with one constant Datastream, since it cannot look
a topic up, and nothing is checked, flagged, converted, dead-lettered, counted or streamed on.
"""

import argparse
import importlib.util
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.load import Publisher
from tests.databases import Server
from tests.servers.gateway import Gateway, cpu_seconds, wait_until
from tests.servers.mosquitto import Mosquitto

DEVICES = 2_000
SIZE = 118  # bytes of a payload
BURST = 500  # messages of one send
PATIENCE = 300.0
_unique = itertools.count()

Messages = Iterator[tuple[bytes, bytes]]


def singles(n: int) -> Messages:
    """One record a message, its time the moment it is made (and never the same twice)."""
    last = 0
    for i in range(n):
        last = max(time.time_ns() // 1000, last + 1)
        when = datetime.fromtimestamp(last / 1e6, UTC).isoformat(timespec="microseconds")
        body = f'{{"ts": "{when}", "relative_humidity": {20 + i % 6000 / 100:.2f}}}'
        yield b"tram/v1/dev-%04d/telemetry" % (i % DEVICES), body.encode().ljust(SIZE)


def packs(n: int, records: int = 50) -> Messages:
    """SenML packs as a data logger sends them: a base name and time, five properties at ten moments a second apart."""
    start = time.time() - 300
    for i in range(n):
        base = {"bn": f"urn:dev:mac:{i % DEVICES:016x}/", "bt": round(start) + i // DEVICES * 10}
        pack = [
            {"n": f"p{j % 5}", "u": "Cel", "v": round(20 + (i + j) % 100 / 10, 1), "t": -(j // 5)}
            for j in range(records)
        ]
        yield b"tram/v1/logger-%04d/telemetry" % (i % DEVICES), json.dumps([base | pack[0], *pack[1:]]).encode()


class Consumer(Protocol):
    """What is measured."""

    @property
    def pid(self) -> int: ...
    def rows(self) -> int: ...


class Stage:
    """The servers of a whole run."""

    def __init__(self, folder: Path, *, plain: bool) -> None:
        self.folder = folder
        self.edition = "plain" if plain else "timescaledb"
        # Commit timestamps are how latency is measured to the commit itself.
        self.postgres = Server(folder / "postgres", options="track_commit_timestamp = on")
        missing = self.postgres.missing(self.edition)
        if missing:
            raise SystemExit(f"bench: {missing} (or --plain)")

    def close(self) -> None:
        self.postgres.close()

    @contextmanager
    def broker(self) -> Iterator[Mosquitto]:
        """A broker with nothing queued."""
        made = Mosquitto(self.folder / f"mosquitto-{next(_unique)}", {"autosave_interval": "1800"})
        made.start()
        try:
            yield made
        finally:
            made.stop()

    @contextmanager
    def tram(self, broker: Mosquitto) -> Iterator["Tram"]:
        """The gateway as it is configured by default, on a database of its own."""
        with self.postgres.database(self.edition) as database:
            gateway = Gateway(self.folder / f"gateway-{next(_unique)}", database.url, broker.url)
            gateway.start()
            try:
                yield Tram(gateway, database.url)
            finally:
                gateway.stop()

    @contextmanager
    def mq_bridge(self, broker: Mosquitto) -> Iterator["MqBridge"]:
        """mq-bridge with COPY, batch 1000, acknowledging after the write; the settings that were best here."""
        name = self.postgres.create()
        url = self.postgres.url(name)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(
                "CREATE TABLE observation (phenomenon_time timestamptz NOT NULL, datastream_id int NOT NULL DEFAULT 1,"
                " quality int2 NOT NULL DEFAULT 0, result float8, result_json jsonb, parameters jsonb)"
            )
            if self.edition == "timescaledb":
                conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
                conn.execute(
                    "SELECT create_hypertable('observation', by_range('phenomenon_time', interval '1 day'),"
                    " create_default_indexes => false)"
                )
            conn.execute("CREATE UNIQUE INDEX ON observation (datastream_id, phenomenon_time)")
        process = MqBridge(broker, url)
        try:
            process.start()
            yield process
        finally:
            process.stop()
            self.postgres.drop(name)


class Counted:
    """Counts the rows of a database's `observation`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self) -> int:
        with psycopg.connect(self.url) as conn:
            row = conn.execute("SELECT count(*) FROM observation").fetchone()
            assert row is not None
            return int(row[0])


class Tram(Counted):
    """Our gateway."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        super().__init__(url)
        self.gateway = gateway

    @property
    def pid(self) -> int:
        return self.gateway.pid


class MqBridge(Counted):
    """mq-bridge's Route in a process of its own."""

    PROGRAM = "import json, sys, mq_bridge; mq_bridge.Route.from_config(json.loads(sys.argv[1])).run()"

    def __init__(self, broker: Mosquitto, url: str) -> None:
        super().__init__(url)
        d = conninfo_to_dict(url)
        self._config = {
            "input": {"mqtt": {
                "url": f"tcp://127.0.0.1:{broker.port}", "topic": "tram/v1/+/telemetry", "client_id": "mq-bridge",
                "qos": 1, "clean_session": False, "protocol": "v3", "queue_capacity": 10_000, "max_inflight": 10_000,
                "keep_alive_seconds": 600,
            }},
            "output": {"sqlx": {
                "url": f"postgres://{d['user']}:{d['password']}@{d['host']}:{d['port']}/{d['dbname']}",
                "table": "observation", "bulk_copy": True,
                "insert_query": "INSERT INTO observation (phenomenon_time, result)"
                " VALUES (${payload:ts}, ${payload:relative_humidity})",
            }},
            "batch_size": 1000,
        }  # fmt: skip
        self._port = broker.port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts it, and waits until a message comes through."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.PROGRAM, json.dumps(self._config)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        probe = Publisher(self._port, "probe")

        def through() -> bool:
            probe.send(list(singles(1)))
            time.sleep(0.3)
            return self.rows() > 0

        wait_until(through, 30, "mq-bridge stores a row")
        probe.close()
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("TRUNCATE observation")

    def stop(self) -> None:
        """Ends it; it does not always end by itself."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


def warm_up(broker: Mosquitto, consumer: Consumer) -> int:
    """A first second of load: caches filled, chunk made, Things provisioned. Returns the rows there are then."""
    n = consumer.rows() + 2 * DEVICES
    publisher = Publisher(broker.port, "warm-up")
    publisher.send(list(singles(2 * DEVICES)))
    publisher.settle()
    publisher.close()
    wait_until(lambda: consumer.rows() >= n, PATIENCE, "the warm-up is stored", 0.2)
    return n


def measure(broker: Mosquitto, consumer: Consumer, messages: Messages, rows: int, rate: float | None) -> float:
    """Rows per CPU-second: `rate` messages a second, or (None) as fast as the broker takes them."""
    ready = [] if rate else list(messages)
    publisher = Publisher(broker.port, "load")
    wanted = consumer.rows() + rows
    before = cpu_seconds(consumer.pid)
    if rate:
        publisher.stream(messages, rate)
    for i in range(0, len(ready), BURST):
        publisher.send(ready[i : i + BURST])
    publisher.settle(PATIENCE)
    wait_until(lambda: consumer.rows() >= wanted, PATIENCE, "all rows are stored", 0.2)
    used = cpu_seconds(consumer.pid) - before
    publisher.close()
    return rows / used


def compare(stage: Stage, n: int, rate: float | None, repeat: int) -> dict[str, list[float]]:
    """Both consumers on the same load, in either order by turns."""
    found: dict[str, list[float]] = {"tram": [], "mq-bridge": []}
    uses = [("tram", stage.tram), ("mq-bridge", stage.mq_bridge)]
    if importlib.util.find_spec("mq_bridge") is None:
        uses.pop()
        print("mq-bridge is not installed (requirements/bench.txt): measured alone")
    for turn in range(repeat):
        for name, use in uses if turn % 2 == 0 else uses[::-1]:
            with stage.broker() as broker, use(broker) as consumer:
                warm_up(broker, consumer)
                found[name].append(measure(broker, consumer, singles(n), n, rate))
    return found


def print_ratio(title: str, found: dict[str, list[float]], wanted: float) -> None:
    """One line a consumer, and the ratio of the medians."""
    medians = {name: statistics.median(values) for name, values in found.items() if values}
    for name, median in medians.items():
        each = ", ".join(f"{value / 1000:.0f}" for value in found[name])
        print(f"| {title} | {name} | {median / 1000:.0f} | {each} |", flush=True)
    if len(medians) == 2:
        print(f"| {title} | **ratio** | **{medians['tram'] / medians['mq-bridge']:.2f}** | at least {wanted} |")


def stored(consumer: Consumer, rows: int) -> bool:
    """Whether there are that many rows."""
    return consumer.rows() >= rows


def measure_packs(stage: Stage, n: int, repeat: int) -> list[float]:
    """SenML packs of 50; mq-bridge has no way to take them apart."""
    found = []
    for _ in range(repeat):
        with stage.broker() as broker, stage.tram(broker) as consumer:
            publisher = Publisher(broker.port, "warm-up")
            ready = packs(DEVICES + n)
            publisher.send(list(itertools.islice(ready, DEVICES)))
            publisher.settle()
            publisher.close()
            wait_until(partial(stored, consumer, 50 * DEVICES), PATIENCE, "the warm-up is stored", 0.2)
            found.append(measure(broker, consumer, ready, 50 * n, None))
    return found


def latency(stage: Stage, rate: float, seconds: float) -> tuple[float, float]:
    """(p50, p99) in milliseconds, from making a message to the commit of its row, at `rate` messages a second."""
    with stage.broker() as broker, stage.tram(broker) as consumer:
        warm_up(broker, consumer)
        started = datetime.now(UTC)
        measure(broker, consumer, singles(int(rate * seconds)), int(rate * seconds), rate)
        with psycopg.connect(consumer.url) as conn:
            row = conn.execute(
                "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM"
                " pg_xact_commit_timestamp(xmin) - phenomenon_time)) FROM observation WHERE phenomenon_time >= %s",
                (started,),
            ).fetchone()
            assert row is not None
            return row[0][0] * 1000, row[0][1] * 1000


def backlog(stage: Stage, n: int) -> tuple[int, float]:
    """(largest resident bytes, rows per CPU-second) while a backlog of n messages is drained."""
    with stage.broker() as broker, stage.tram(broker) as consumer:
        consumer.gateway.stop()
        publisher = Publisher(broker.port, "load")
        step = 100_000
        for done in range(0, n, step):
            ready = list(singles(min(step, n - done)))
            for i in range(0, len(ready), BURST):
                publisher.send(ready[i : i + BURST])
        publisher.settle(PATIENCE)
        publisher.close()
        consumer.gateway.start(ready=False)
        largest = 0

        def drained() -> bool:
            nonlocal largest
            largest = max(largest, consumer.gateway.rss())
            return consumer.gateway.metrics().get("tram_gateway_stored_rows_total", 0) >= n

        wait_until(drained, PATIENCE, "the backlog is drained", 0.1)
        return largest, n / cpu_seconds(consumer.pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--backlog", type=int, default=1_000_000)
    parser.add_argument("--plain", action="store_true", help="plain PostgreSQL in place of TimescaleDB")
    parser.add_argument("--only", default="saturation,steady,packs,latency,backlog")
    options = parser.parse_args()
    only = options.only.split(",")
    with tempfile.TemporaryDirectory(prefix="tram-bench-") as folder:
        stage = Stage(Path(folder), plain=options.plain)
        try:
            print(f"ingest on {stage.edition}; thousand rows per CPU-second of the process")
            print("| load | process | median | runs |\n|---|---|---|---|", flush=True)
            if "saturation" in only:
                found = compare(stage, options.messages, None, options.repeat)
                print_ratio("one-record JSON, saturation", found, 2)
            if "steady" in only:
                found = compare(stage, int(5_000 * options.seconds), 5_000, options.repeat)
                print_ratio("one-record JSON, 5,000 messages/s", found, 1.3)
            if "packs" in only:
                values = measure_packs(stage, options.messages // 5, options.repeat)
                print_ratio("SenML packs of 50, saturation", {"tram": values}, 0)
            if "latency" in only:
                p50, p99 = latency(stage, 2_000, options.seconds)
                print(f"| publish to committed row, 2,000 messages/s | tram | p50 {p50:.0f} ms | p99 {p99:.0f} ms |")
            if "backlog" in only:
                largest, value = backlog(stage, options.backlog)
                mb = largest / 1e6
                print(f"| backlog of {options.backlog:,} drained | tram | {value / 1000:.0f} | {mb:.0f} MB resident |")
        finally:
            stage.close()


if __name__ == "__main__":
    main()
