"""What bench/ingest.py measures with: the messages, the servers, and the two consumers on the same footing."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.load import Publisher
from tests.databases import Server
from tests.servers.gateway import Gateway, wait_until
from tests.servers.mosquitto import Mosquitto

DEVICES = 2_000
SIZE = 118  # bytes of a payload
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
