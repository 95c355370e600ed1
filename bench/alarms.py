"""What the alarm process costs, and how soon an alarm is there: 5,000 Datastreams under three rules each.

    python -m bench.alarms [--url postgresql://…] [--rate 10000] [--seconds 60] [--datastreams 5000]

The real `python -m services.alarms` reads what this writes into a real database; without --url an embedded one that is
durable. CPU is that of the process and, apart, of its connection's backend (/proc: the server must run here). Latency
is from before the transaction that stores an observation until the NOTIFY of the alarm it raises has arrived here.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from tram.alarms.rules import read
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import alarm_rules, alarms, database, migrate, observations
from tram.store.batch import Batch
from tram.store.committed import Reader
from tram.store.database import Connection
from tram.store.edition import detect
from tram.store.notify import Listener

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
BATCHES = 10  # a second


def cpu(pid: int) -> float:
    """Seconds of CPU of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def prepare(conn: Connection, count: int) -> list[int]:
    """Things with one Datastream each, and three rules over all of them; returns the Datastreams."""
    conn.execute("INSERT INTO observed_property (name) VALUES ('x') ON CONFLICT DO NOTHING")
    conn.execute(
        "INSERT INTO thing (name, kind) SELECT 'b' || n, 'bench' FROM generate_series(1, %s) n ON CONFLICT DO NOTHING",
        (count,),
    )
    conn.execute(
        "INSERT INTO datastream (thing_id, observed_property_id) SELECT t.id, p.id FROM thing t, observed_property p"
        " WHERE t.kind = 'bench' AND p.name = 'x' ON CONFLICT DO NOTHING"
    )
    beyond = {"type": "threshold", "property": "x", "op": ">"}
    levels = [
        {"priority": "low", "when": {**beyond, "value": 50, "deadband": 5}},
        {"priority": "high", "for": "1m", "when": {**beyond, "value": 80, "deadband": 5}},
    ]
    rate = {"type": "rate", "property": "x", "op": ">", "value": 1e6, "window": "1m"}
    silent = {"type": "no-data", "property": "x", "after": "5m"}
    for id, given in (
        ("bench-level", levels),
        ("bench-rate", [{"priority": "low", "when": rate}]),
        ("bench-silent", [{"priority": "low", "when": silent}]),
    ):
        rule = {"id": id, "vi": id, "en": id, "scope": {"kind": "bench"}, "levels": given, "storm": {"count": 100_000}}
        alarm_rules.put(conn, read(rule), "bench")
    conn.commit()
    return [row[0] for row in conn.execute("SELECT id FROM datastream ORDER BY id")]


class Heard(threading.Thread):
    """When each alarm's NOTIFY arrived, by Datastream."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.at: dict[tuple[int, str], float] = {}
        self.ending = threading.Event()
        self._settings = settings

    def run(self) -> None:
        listener = Listener(self._settings, (alarms.CHANNEL,), "bench-listen")
        with database.connect(self._settings, "bench-read", autocommit=True) as conn:
            seen = alarms.position(conn)
            while not self.ending.is_set():
                listener.wait(0.5)
                now = time.perf_counter()
                for change in alarms.changes(conn, seen, 10_000):
                    seen = change.seq
                    for stream in change.alarm.datastreams:
                        self.at.setdefault((stream, change.kind.value), now)
        listener.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--datastreams", type=int, default=5_000)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = args.url
        if url is None:
            server = PostgresServer(folder / "postgres", 0)
            server.start()
            stack.callback(server.stop)
            url = server.url
        settings = Settings(database_url=url)
        conn = stack.enter_context(closing(database.connect(settings, "bench")))
        migrate.migrate(conn)
        print(f"edition {detect(conn).value}, load {os.getloadavg()[0]:.1f}")
        ids = np.array(prepare(conn, args.datastreams)[: args.datastreams], np.int32)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
        environment |= {"TRAM_DATABASE_URL": url, "TRAM_ALARMS_PROBE_PORT": "0", "PYTHONPATH": str(ROOT)}
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen([sys.executable, "-m", "services.alarms"], env=environment, stderr=log, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        run(conn, settings, process.pid, ids, args.rate, args.seconds)


def run(conn: Connection, settings: Settings, pid: int, ids: np.ndarray, rate: int, seconds: int) -> None:
    """Writes at the rate and prints what came of it."""
    heard = Heard(settings)
    heard.start()
    reader, random = Reader("alarms"), np.random.default_rng(1)
    while conn.execute("SELECT count(*) FROM alarm_engine").fetchone() == (0,):
        conn.rollback()
        time.sleep(0.1)
    row = conn.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 120").fetchone()
    assert row is not None
    backend, rows = int(row[0]), rate // BATCHES
    conn.commit()
    sent: dict[int, float] = {}
    begun = time.perf_counter()
    used = before = (0.0, 0.0)
    for number in range(seconds * BATCHES + 20):
        if number == 20:  # warm
            before = (cpu(pid), cpu(backend))
        place = np.arange(number * rows, (number + 1) * rows) % len(ids)
        now = time.time_ns() // 1000
        value = np.abs(random.normal(0, 10, rows)).clip(0, 40)
        mark = number % rows
        if number % 2 == 0:  # one more alarm every fifth of a second, of a Datastream that had none
            value[mark] = 60.0
        batch = Batch(ids[place], now - random.permutation(rows), value, np.zeros(rows, np.int16))
        if number >= 20 and number % 2 == 0:
            sent.setdefault(int(ids[place[mark]]), time.perf_counter())
        observations.write(conn, batch)
        conn.commit()
        time.sleep(max(0.0, begun + (number + 1) / BATCHES - time.perf_counter()))
    used = (cpu(pid) - before[0], cpu(backend) - before[1])
    wall = time.perf_counter() - begun - 20 / BATCHES
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and reader.lag(conn)[0]:
        conn.commit()
        time.sleep(0.1)
    time.sleep(0.5)
    heard.ending.set()
    heard.join()
    took = sorted(heard.at[s, "raised"] - t for s, t in sent.items() if (s, "raised") in heard.at)
    n, missing = seconds * BATCHES * rows, len(sent) - len(took)
    print(f"{n} readings of {len(ids)} Datastreams x 3 rules in {wall:.0f} s, load {os.getloadavg()[0]:.1f}")
    for name, seconds_used in (("process", used[0]), ("its backend", used[1])):
        print(f"{name}: {seconds_used / n * 1e6:.2f} us a reading, {seconds_used / wall * 100:.1f} % of a core")
    p50, p99 = (1000 * took[int(len(took) * share)] if took else float("nan") for share in (0.5, 0.99))
    print(f"stored to alarm notified: p50 {p50:.0f} ms, p99 {p99:.0f} ms, {len(took)} alarms, {missing} missing")


if __name__ == "__main__":
    main()
