"""What upkeep of the rollups costs beside ingest: 10,000 messages/s through mosquitto and the gateway to a full store.

The CPU of ingest is that of the gateway's process and of its backends; that of the upkeep the thread that keeps the
rollups as the worker does, every 20 s, and its backend.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.load import Publisher
from bench.store_write import backend_cpu
from tests.servers.gateway import Gateway, cpu_seconds, wait_until
from tests.servers.mosquitto import Mosquitto
from tram.settings import Settings
from tram.store.database import Connection
from tram.store.rollups import Rollups

RATE = 10_000
EVERY = 20
"""Seconds between two times that the rollups are kept (services.jobs)."""
ROUNDS = 2


def messages(names: list[tuple[str, str]]) -> Iterator[tuple[bytes, bytes]]:
    """One record each, of every (thing, property) in turn; its time the moment it is made."""
    last = 0
    for i, (thing, name) in enumerate(itertools.cycle(names)):
        last = max(time.time_ns() // 1000, last + 1)
        when = datetime.fromtimestamp(last / 1e6, UTC).isoformat(timespec="microseconds")
        body = f'{{"ts": "{when}", "{name}": {20 + i % 6000 / 100:.2f}}}'
        yield f"tram/v1/{thing}/telemetry".encode(), body.encode()


def upkeep(settings: Settings, conn: Connection, names: list[tuple[str, str]], folder: Path) -> dict[str, float]:
    """Microseconds of CPU a row of each, and the upkeep in percent of ingest."""
    broker = Mosquitto(folder / "mosquitto", {"autosave_interval": "1800"})
    broker.start()
    gateway = Gateway(folder / "gateway", settings.database_url, broker.url)
    gateway.start()
    try:
        publisher = Publisher(broker.port)
        made = messages(names)
        rollups = Rollups(7)
        own = conn.info.backend_pid
        used = {"gateway": 0.0, "its backends": 0.0, "rollups": 0.0, "their backend": 0.0}
        rows = 0
        for turn in range(ROUNDS + 1):  # the first is not counted: pages come into the server's memory
            before = cpu_seconds(gateway.pid), _backends(conn)
            thread = threading.Thread(target=publisher.stream, args=(itertools.islice(made, RATE * EVERY), RATE))
            thread.start()
            thread.join()
            publisher.settle()
            rows += RATE * EVERY
            _stored(gateway, rows)
            between = cpu_seconds(gateway.pid), _backends(conn)
            start = time.thread_time(), backend_cpu(own)
            while rollups.step(conn).batches:
                conn.commit()
            conn.commit()
            if turn:
                used["gateway"] += between[0] - before[0]
                used["its backends"] += between[1] - before[1]
                used["rollups"] += time.thread_time() - start[0]
                used["their backend"] += backend_cpu(own) - start[1]
    finally:
        gateway.stop()
        broker.stop()
    counted = ROUNDS * RATE * EVERY
    found = {f"CPU us a row at {RATE}/s: {what}": spent / counted * 1e6 for what, spent in used.items()}
    ingest, kept = used["gateway"] + used["its backends"], used["rollups"] + used["their backend"]
    return found | {"upkeep in percent of ingest": 100 * kept / ingest}


def _backends(conn: Connection) -> float:
    rows = conn.execute("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tram-gateway%'").fetchall()
    conn.commit()
    return sum(backend_cpu(pid) for (pid,) in rows)


def _stored(gateway: Gateway, rows: int) -> None:
    wait_until(lambda: gateway.metrics().get("tram_gateway_stored_rows_total", 0) >= rows, 120, "all rows are stored")
