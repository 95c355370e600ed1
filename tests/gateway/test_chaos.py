"""What must not be lost when parts are killed: real processes, really killed."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench.load import Publisher
from tests.databases import Database, Server
from tests.gateway.conftest import Start
from tests.servers.gateway import Gateway, wait_until
from tests.servers.mosquitto import Mosquitto
from tram.embedded.ports import free_port

DEVICES = 50


def telemetry(n: int, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """n messages, each a reading that is told from every other by its Datastream and time."""
    base = int(time.time() * 1000)
    for i in range(start, start + n):
        yield b"tram/v1/dev-%d/telemetry" % (i % DEVICES), b'{"ts": %d, "pm2_5": %d}' % (base + i, i % 1000)


def count(url: str) -> tuple[int, int]:
    """(rows, different keys)."""
    with psycopg.connect(url) as conn:
        row = conn.execute(
            "SELECT count(*), count(DISTINCT (datastream_id, phenomenon_time)) FROM observation"
        ).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])


def stream(publisher: Publisher, n: int, rate: float) -> threading.Thread:
    """Publishes n messages in a thread of its own."""

    def work() -> None:
        publisher.stream(telemetry(n), rate)
        publisher.settle()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_killed_twice_within_50_000_messages(start: Start, broker: Mosquitto, one_database: Database) -> None:
    gateway = start(batch_rows=500, batch_wait=0.02)
    n = 50_000
    thread = stream(Publisher(broker.port), n, 12_000)
    for share in (0.25, 0.6):
        wait_until(lambda share=share: count(one_database.url)[0] >= share * n, 60, f"{share:.0%} are stored")  # type: ignore[misc]
        gateway.kill()
        gateway.start(ready=False)
    thread.join(120)
    assert not thread.is_alive()  # so every message was PUBACKed by the broker
    wait_until(lambda: count(one_database.url)[0] >= n, 60, "all are stored")
    assert count(one_database.url) == (n, n)
    wait_until(lambda: gateway.metrics()["tram_gateway_buffer_messages"] == 0, 60, "all is settled")


def test_broker_restarted(start: Start, broker: Mosquitto, one_database: Database) -> None:
    gateway = start()
    publisher = Publisher(broker.port)
    publisher.send(list(telemetry(1000)))
    publisher.settle()
    wait_until(lambda: count(one_database.url)[0] == 1000, 60, "the first are stored")
    broker.stop()
    wait_until(lambda: gateway.readyz()[0] == 503, 60, "the gateway says that it is not ready")
    assert "broker" in gateway.readyz()[1]["reasons"]
    broker.start()
    back = time.monotonic()
    publisher = Publisher(broker.port)
    publisher.send(list(telemetry(1000, start=10_000)))
    publisher.settle()
    wait_until(lambda: gateway.readyz()[0] == 200, 60, "the gateway is back")
    assert time.monotonic() - back < 10
    wait_until(lambda: count(one_database.url)[0] == 2000, 60, "what was sent meanwhile is stored")
    assert gateway.metrics()["tram_gateway_connection_generation"] >= 2


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[tuple[Server, Database]]:
    """A database server of the test's own, to stop and start."""
    server = Server(tmp_path / "postgres", port=free_port())
    edition = "plain" if server.missing("timescaledb") else "timescaledb"
    name = server.create(server.template(edition))
    yield server, Database(edition, server.url(name), server.postgres)
    server.close()


def away(fragile: tuple[Server, Database], broker: Mosquitto, gateway: Gateway, *, seconds: float, rate: float) -> None:
    """The database is gone for some seconds under load."""
    server, database = fragile
    n = int(rate * (seconds + 4))
    thread = stream(Publisher(broker.port), n, rate)
    wait_until(lambda: count(database.url)[0] > rate, 60, "the load is on")
    before = gateway.rss()
    server.postgres.stop()
    gone = time.monotonic()
    wait_until(lambda: gateway.readyz()[0] == 503, 60, "the gateway says that it is not ready")
    assert "database" in gateway.readyz()[1]["reasons"]
    largest, limit = 0, gateway.metrics()["tram_gateway_buffer_messages_limit"]
    while time.monotonic() - gone < seconds:
        largest = max(largest, gateway.rss())
        time.sleep(0.2)
    held = gateway.metrics()["tram_gateway_buffer_messages"]
    server.postgres.start()
    thread.join(120)
    assert not thread.is_alive()
    wait_until(lambda: count(database.url)[0] == n, 120, "all is stored, by itself")
    assert count(database.url) == (n, n)
    assert 0 < held < limit + 5_000
    assert largest - before < 60 << 20
    wait_until(lambda: gateway.readyz()[0] == 200, 60, "the gateway is ready again")


def gateway_for(tmp_path: Path, database: Database, broker: Mosquitto, **settings: object) -> Gateway:
    gateway = Gateway(tmp_path / "gateway", database.url, broker.url, database_timeout=5, **settings)
    gateway.start()
    return gateway


def test_database_stopped_for_some_seconds(tmp_path: Path, fragile: tuple[Server, Database], broker: Mosquitto) -> None:
    """With a buffer that fills at once, so that the rest has to wait at the broker."""
    gateway = gateway_for(tmp_path, fragile[1], broker, buffer_messages=2_000)
    try:
        away(fragile, broker, gateway, seconds=4, rate=3_000)
    finally:
        gateway.kill()


@pytest.mark.chaos
def test_database_stopped_for_a_minute(tmp_path: Path, fragile: tuple[Server, Database], broker: Mosquitto) -> None:
    gateway = gateway_for(tmp_path, fragile[1], broker)
    try:
        away(fragile, broker, gateway, seconds=60, rate=3_000)
    finally:
        gateway.kill()


@pytest.mark.chaos
def test_malformed_payloads_at_ten_times_the_rate_do_not_slow_the_good_ones(tmp_path: Path, broker: Mosquitto) -> None:
    """The p99 from publish to commit of the good ones, with and without the bad: within three times."""
    server = Server(tmp_path / "postgres", options="track_commit_timestamp = on")
    good_rate, seconds = 100, 20
    bad = [b'{"pm2_5": "\xff"}', b"{", b"", b"[" * 1000, b'{"pm2_5": NaN}', b'"text"']

    def run(noise: bool) -> float:
        # A queue that nobody reads would be saved again and again, and the broker does nothing else meanwhile.
        broker.forget(f"noise-{not noise}")
        with server.database("plain") as database:
            gateway = gateway_for(tmp_path / str(noise), database, broker, mqtt_client_id=f"noise-{noise}")
            publisher = Publisher(broker.port, "good")

            def messages() -> Iterator[tuple[bytes, bytes]]:
                for i in range(good_rate * seconds):
                    for j in range(10 if noise else 0):
                        yield b"tram/v1/bad/telemetry", bad[(i + j) % len(bad)]
                    ts = json.dumps({"ts": time.time() * 1000, "pm10": i}).encode()
                    yield b"tram/v1/good-%d/telemetry" % (i % 7), ts

            try:
                publisher.stream(messages(), good_rate * (11 if noise else 1))
                publisher.settle()
                wait_until(lambda: count(database.url)[0] == good_rate * seconds, 60, "the good ones are stored")
                with psycopg.connect(database.url) as conn:
                    row = conn.execute(
                        "SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM"
                        " pg_xact_commit_timestamp(xmin) - phenomenon_time)) FROM observation WHERE result >= %s",
                        (5 * good_rate,),  # without the first seconds, in which everything is new
                    ).fetchone()
                    letters = conn.execute("SELECT count(*) FROM dead_letter").fetchone()
                assert letters == (good_rate * seconds * 10 if noise else 0,)
                assert row is not None
                return float(row[0])
            finally:
                gateway.stop()
                publisher.close()

    try:
        quiet, noisy = run(False), run(True)
    finally:
        server.close()
    print(f"p99 of the good ones: {quiet * 1000:.0f} ms alone, {noisy * 1000:.0f} ms among ten times as many bad ones")
    assert noisy < 3 * quiet


def test_stopped_politely_under_load(start: Start, broker: Mosquitto, one_database: Database) -> None:
    """SIGTERM: exit code 0, nothing lost, and what was committed was acknowledged."""
    gateway = start()
    n = 20_000
    thread = stream(Publisher(broker.port), n, 10_000)
    wait_until(lambda: count(one_database.url)[0] > 3_000, 60, "the load is on")
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(60) == 0
    gateway.start(ready=False)
    thread.join(60)
    wait_until(lambda: count(one_database.url)[0] == n, 60, "all are stored")
    assert count(one_database.url) == (n, n)
