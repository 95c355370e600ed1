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
import statistics
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg

from bench.ingest_stage import DEVICES, Consumer, Messages, Stage, packs, singles
from bench.load import Publisher
from tests.servers.gateway import cpu_seconds, wait_until
from tests.servers.mosquitto import Mosquitto

BURST = 500  # messages of one send
PATIENCE = 300.0


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
