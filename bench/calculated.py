"""What calculated Datastreams cost: many definitions over values of one a second, and a long history.

    python -m bench.calculated [--definitions 200] [--seconds 60] [--history 500000]

Each definition is `mean(a, '5min') - b` over two Datastreams of its own. Every second of data is one batch; marking and
computing are timed together, with the CPU of this process and of its backend. Then one definition over a long history.
The data is made faster than life, so a figure is the cost of a second, not a wait for it.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.store_write import backend_cpu
from tests.databases import Server
from tram.clock import SECOND
from tram.store import calculated, observations, registry
from tram.store.batch import Batch
from tram.store.calculated import Draft
from tram.store.calculating import Calculator
from tram.store.database import Connection

T0 = 1_780_000_000 * SECOND


def streams(conn: Connection, n: int) -> list[int]:
    """2 n Datastreams, a and b of each Thing in turn."""
    keys = [registry.Key(f"t-{k}", name) for k in range(n) for name in ("a", "b")]
    found = registry.resolve(conn, keys, "open")
    return [found[key].datastream_id for key in keys]  # type: ignore[union-attr]


def settle(conn: Connection, calculator: Calculator) -> int:
    """Marks and computes until nothing is left; how many transactions computed."""
    rounds = 0
    while True:
        more = calculator.mark(conn)
        conn.commit()
        done = calculator.compute(conn)
        conn.commit()
        rounds += done
        if not more and not done:
            return rounds


def live(conn: Connection, n: int, seconds: int) -> None:
    """n definitions, so many seconds of data."""
    ids = np.array(streams(conn, n), np.int32)
    calculator = Calculator()
    calculator.start(conn)
    for k in range(n):
        inputs = {"a": int(ids[2 * k]), "b": int(ids[2 * k + 1])}
        draft = Draft(thing=f"t-{k}", property="c", expression="mean(a, '5min') - b", inputs=inputs)
        calculated.add(conn, draft, "m:bench")
    conn.commit()
    settle(conn, calculator)
    took: list[float] = []
    cpu, backend = time.process_time(), backend_cpu(conn.info.backend_pid)
    for second in range(seconds):
        times = np.full(len(ids), T0 + second * SECOND)
        values = np.sin(np.arange(len(ids)) + second)
        observations.write(conn, Batch(ids, times, values, np.zeros(len(ids), np.int16)))
        conn.commit()
        began = time.perf_counter()
        settle(conn, calculator)
        took.append(time.perf_counter() - began)
    cpu, backend = time.process_time() - cpu, backend_cpu(conn.info.backend_pid) - backend
    ordered = sorted(took)
    print(
        f"{n} definitions at 1 Hz: {statistics.median(took) * 1000:.0f} ms from the commit to the results, p99 "
        f"{ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms; CPU a second of data: {cpu / seconds * 1000:.0f} ms here, "
        f"{backend / seconds * 1000:.0f} ms in the backend (the writing of the inputs in it)"
    )


def backfill(conn: Connection, rows: int) -> None:
    """One definition over a history of one value a second."""
    (a, _) = streams(conn, 1)
    for start in range(0, rows, 50_000):
        times = T0 + np.arange(start, min(start + 50_000, rows)) * SECOND + 10**14
        n = len(times)
        observations.write(conn, Batch(np.full(n, a, np.int32), times, np.sin(np.arange(n)), np.zeros(n, np.int16)))
        conn.commit()
    calculator = Calculator()
    calculator.start(
        conn,
    )
    settle(conn, calculator)
    draft = Draft(thing="t-0", property="long", expression="mean(a, '5min')", inputs={"a": a})
    calculated.add(conn, draft, "m:bench")
    conn.commit()
    began = time.perf_counter()
    settle(conn, calculator)
    took = time.perf_counter() - began
    print(f"{rows} values of history: {took:.1f} s, {rows / took:,.0f} a second")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--definitions", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--history", type=int, default=500_000)
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server")
        try:
            with server.database("plain" if server.missing("timescaledb") else "timescaledb") as database:
                conn = database.connect()
                live(conn, args.definitions, args.seconds)
                backfill(conn, args.history)
        finally:
            server.close()
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
