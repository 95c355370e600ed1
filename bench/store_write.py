"""What a row costs on the write path: CPU microseconds of the client and of the database's backend, on every edition.

    python -m bench.store_write [--url postgresql://…] [--rows 10000] [--batches 100] [--without INDEX,INDEX]

Without --url an embedded PostgreSQL is started in a temporary folder, with its data made durable. Backend CPU is that
of the connection's own process (/proc), so the server must run on this machine; WAL writer and checkpointer are not in.
"""

import argparse
import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
from psycopg import sql

from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import database, migrate, observations
from tram.store.batch import Batch
from tram.store.edition import Edition, detect

START = 1_780_000_000_000_000
TICKS = os.sysconf("SC_CLK_TCK")


def backend_cpu(pid: int) -> float:
    """Seconds of CPU of a process so far. The statistics are counted in ticks of 10 ms: measure over many batches."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def batches(rows: int, count: int, random: np.random.Generator, first: int = 0) -> list[Batch]:
    """`count` batches of 5,000 Datastreams that each report every few seconds, in order of arrival."""
    made = []
    for number in range(first, first + count):
        place = np.arange(number * rows, (number + 1) * rows)
        times = START + (place // 5000) * 1_000_000 + random.integers(0, 1_000_000, rows)
        ids = random.permutation(rows) % 5000 if rows >= 5000 else place % 5000
        made.append(Batch(ids.astype(np.int32), times, random.normal(20, 5, rows), np.zeros(rows, np.int16)))
    return made


def run(conn: database.Connection, what: str, work: list[Batch]) -> None:
    """Writes and commits each batch, and prints one line."""
    rows = sum(map(len, work))
    inserted = 0
    wall, client, backend = time.perf_counter(), time.process_time(), backend_cpu(conn.info.backend_pid)
    for batch in work:
        inserted += observations.write(conn, batch).inserted
        conn.commit()
    wall, client = time.perf_counter() - wall, time.process_time() - client
    backend = backend_cpu(conn.info.backend_pid) - backend
    print(
        f"| {what:38} | {rows / wall / 1000:8.0f} | {client / rows * 1e6:6.2f} | {backend / rows * 1e6:7.2f} "
        f"| {inserted / rows:8.0%} |"
    )


def measure(url: str, rows: int, count: int, *, plain: bool, without: str = "") -> None:
    """Makes a database, fills it in several ways, drops it. `without`: indexes that are dropped before."""
    name = f"bench_store_write_{os.getpid()}"
    with closing(psycopg.connect(url, autocommit=True)) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            target = psycopg.conninfo.make_conninfo(url, dbname=name)
            with closing(database.connect(Settings(database_url=target, database_timeout=60.0), "bench")) as conn:
                migrate.migrate(conn, plain=plain)
                if not plain and detect(conn) is Edition.PLAIN:
                    print("TimescaleDB is not there (`make timescaledb` builds it): plain PostgreSQL only")
                    return
                edition = detect(conn)
                for index in filter(None, without.split(",")):
                    conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
                conn.commit()
                random = np.random.default_rng(1)
                run(conn, "warm-up", batches(rows, 5, random))
                work = batches(rows, count, random, 5)
                print(f"edition {edition}, batches of {rows}")
                print("| batch | krows/s | client | backend | inserted |\n|---|---|---|---|---|")
                run(conn, "all new", work)
                run(conn, "all replayed", work)
                fresh = batches(rows, count, random, 5 + count)
                half = [observations_mixed(a, b) for a, b in zip(work, fresh, strict=True)]
                run(conn, "every second row a replay", half)
                small = batches(250, 4 * count, random, (5 + 2 * count) * rows // 250 + 1)
                run(conn, "all new, batches of 250", small)
                json = [with_json(b) for b in batches(rows, max(1, count // 4), random, 10 + 2 * count)]
                run(conn, "all new, 1 row of 100 with JSON", json)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def observations_mixed(old: Batch, new: Batch) -> Batch:
    """Every second row of each."""
    take = np.arange(0, len(old), 2)
    a, b = old.take(take), new.take(take)
    return Batch(*(np.concatenate([getattr(a, c), getattr(b, c)]) for c in Batch.__dataclass_fields__ if c in COLUMNS))


COLUMNS = ("datastream_id", "phenomenon_time", "result", "quality")


def with_json(batch: Batch) -> Batch:
    """The same batch, one row of a hundred with a JSON value."""
    json = dict.fromkeys(range(0, len(batch), 100), b'{"state":"open"}')
    return Batch(batch.datastream_id, batch.phenomenon_time, batch.result, batch.quality, json)


def main() -> None:
    """Reads the arguments and runs both editions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--without", default="", metavar="INDEXES")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = None if arguments.url else PostgresServer(Path(folder) / "postgres")
        try:
            url = arguments.url or (server.start().url if server else "")
            for plain in (False, True):
                measure(url, arguments.rows, arguments.batches, plain=plain, without=arguments.without)
        finally:
            if server:
                server.stop()


if __name__ == "__main__":
    main()
