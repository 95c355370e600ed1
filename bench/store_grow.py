"""Whether rows and queries cost the same in a large store as in a small one: 1 M, 20 M and 100 M rows in one database.

    python -m bench.store_grow --folder FOLDER [--rows 1000000,20000000,100000000] [--plain] [--export] [--limit 350]

The history has the shape of bench.store's: 5,000 Datastreams every 15 minutes, 20 of them every 10 seconds. To have it
in minutes, not hours, it is loaded by COPY, a day at a time in the order of time, and its rollups are computed by the
same arithmetic as always (tram.store.aggregate) and loaded beside it; the committed stream stays empty. What is
measured then goes the usual ways: the write path, the rollups' worker, the API. FOLDER keeps the database: another run
goes on from what is there (`--rows` that is there already is only measured). A day takes 650,000 rows and 190 MB.
With --rows 20000000 an empty folder takes about five minutes: --limit is how long it may take, about; it then fills no
further, and leaves out what it has no time for.
"""

import argparse
import math
import os
import shutil
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import numpy as np

from bench.sta import EXPAND, create
from bench.store import (
    A_DAY,
    DATASTREAMS,
    FAST,
    FAST_STEP,
    SLOW_STEP,
    Cost,
    exports,
    latest_in_sql,
    make_datastreams,
    milliseconds,
)
from bench.store_ingest import EVERY as TURN
from bench.store_ingest import ROUNDS, upkeep
from tests.databases import SECRET_KEY
from tests.people import enter
from tests.servers.api import serve
from tests.servers.service import Service
from tram.clock import DAY, SECOND, from_micros
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import aggregate, database, history, latest, migrate, observations, registry, series, sqlfile, wire
from tram.store.aggregate import BUCKET, Rows
from tram.store.batch import Batch
from tram.store.committed import trim
from tram.store.database import Connection
from tram.store.edition import detect
from tram.store.rollups import Rollups, levels

BEGIN = 1_766_620_800_000_000 - 7 * 3600 * SECOND  # a midnight in Việt Nam, so that no day's bucket is filled twice
SECONDS, WARM = 60, 20
KEPT_FREE = 15 << 30
MEASURING = 60.0
"""Seconds that are kept for the queries, of --limit."""
CREATING = 30.0
SAME = ("latest of all, in SQL", "latest of all, as Python values", "24 h by minute of one", "24 h by hour of one",
        "24 h raw of one", "CPU us a row written", "CPU us a row of rollups")  # fmt: skip


def day_of(ids: np.ndarray, start: int, random: np.random.Generator) -> Batch:
    """What arrives in a day, in the order of time."""
    parts = []
    for who, step in ((ids[FAST:], SLOW_STEP), (ids[:FAST], FAST_STEP)):
        times = np.arange(start, start + DAY, step)
        parts.append((np.repeat(times, len(who)), np.tile(who, len(times))))
    times, who = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    order = np.argsort(times, kind="stable")
    result = np.round(random.normal(20, 5, len(times)), 2)
    return Batch(who[order], times[order], result, np.zeros(len(times), np.int16))


def load_day(conn: Connection, batch: Batch) -> None:
    """One day and its rollups. Its rows are new: nothing is merged."""
    with conn.cursor(binary=True) as cursor:
        with cursor.copy(sqlfile.load("observations")["copy_plain"]) as copy:
            copy.write(wire.plain_rows(batch))
        rows: Rows = aggregate.combine_observations(
            batch.datastream_id, batch.phenomenon_time, batch.result, batch.quality, 60 * SECOND
        )
        for level in levels(7):
            if level.name != "1m":
                rows = aggregate.combine(rows, level.width, level.offset)
            by_time = rows[np.argsort(rows["bucket"], kind="stable")]
            target = f"rollup_{level.name} ({', '.join(BUCKET.names)})"
            BUCKET.copy_in(cursor, f"COPY {target} FROM STDIN (FORMAT binary)".encode(), by_time)
    conn.commit()


def days_there(conn: Connection, ids: np.ndarray) -> int:
    """How many days of history there are."""
    who = int(ids[len(ids) // 2])
    row = conn.execute("SELECT count(*) FROM rollup_1d WHERE datastream_id = %s", (who,)).fetchone()
    assert row is not None
    return int(row[0])


def grow(conn: Connection, folder: Path, ids: np.ndarray, days: int, until: float = math.inf) -> int:
    """Fills up to so many days, or until that moment of time.monotonic(). Returns how many there are."""
    there = days_there(conn, ids)
    random = np.random.default_rng(there + 1)
    began = time.perf_counter()
    for day in range(there, days):
        if shutil.disk_usage(folder).free < KEPT_FREE:
            raise SystemExit("the disk is nearly full: stopped")
        if time.monotonic() > until and day > 1:
            days = day
            print(f"no time for more: stopped after day {day}")
            break
        load_day(conn, day_of(ids, BEGIN + day * DAY, random))
        if day % 10 == 9:
            print(f"day {day + 1} of {days}, {time.perf_counter() - began:.0f} s", flush=True)
    with conn.cursor(binary=True) as cursor:
        latest.renew(cursor, ids.tolist())
        cursor.execute("DELETE FROM rollup_ahead")  # the stream is empty: nothing is ahead of it
    conn.commit()
    if there < days:
        conn.execute("SET LOCAL statement_timeout = 0")
        conn.execute("ANALYZE")
        conn.commit()
    return days


def measure(conn: Connection, ids: np.ndarray, days: int) -> dict[str, float]:
    """Milliseconds of each query, microseconds of CPU of a row. What it writes it removes."""
    end, fast, slow = BEGIN + days * DAY, int(ids[3]), int(ids[4000])
    found = {
        "latest of all, in SQL": latest_in_sql(conn),
        "latest of all, as Python values": milliseconds(lambda: series.latest(conn)),
        "24 h by minute of one": milliseconds(lambda: history.history(conn, fast, end - DAY, end, level="1m")),
        "24 h by hour of one": milliseconds(lambda: history.history(conn, fast, end - DAY, end, level="1h")),
        "24 h raw of one": milliseconds(lambda: series.series(conn, slow, end - DAY, end)),
        "30 d by hour of one": milliseconds(lambda: history.history(conn, fast, end - 30 * DAY, end, level="1h")),
    }
    conn.rollback()
    return found | write_on(conn, ids, end)


def write_on(conn: Connection, ids: np.ndarray, end: int) -> dict[str, float]:
    """What a row of 10,000 obs/s costs: the write path, then the rollups every 20 s, as the worker does.

    A future day is used, and cleared again. The first 20 s are not counted: pages come into the server's memory then.
    """
    random = np.random.default_rng(3)
    rollups = Rollups(7)
    writing = keeping = 0.0
    for second in range(SECONDS + WARM):
        before = Cost.now(conn)
        times = end + 7 * DAY + second * SECOND + np.repeat([0, 500_000], len(ids))
        who = np.tile(ids, 2)
        result = np.round(random.normal(20, 5, len(who)), 2)
        observations.write(conn, Batch(who, times, result, np.zeros(len(who), np.int16)))
        conn.commit()
        between = Cost.now(conn)
        if second % WARM == WARM - 1:
            while rollups.step(conn).batches:
                conn.commit()
        conn.commit()
        if second >= WARM:
            writing += between.since(before).total
            keeping += Cost.now(conn).since(between).total
    clear(conn, ids, end)
    rows = SECONDS * 2 * len(ids)
    return {"CPU us a row written": writing / rows * 1e6, "CPU us a row of rollups": keeping / rows * 1e6}


def clear(conn: Connection, ids: np.ndarray, end: int) -> None:
    """Removes what a measurement wrote."""
    conn.execute("SET LOCAL statement_timeout = 0")
    for table, column in (("observation", "phenomenon_time"), ("rollup_1m", "bucket"), ("rollup_1h", "bucket"),
                          ("rollup_1d", "bucket")):  # fmt: skip
        # By Datastream: without an index by time the whole table would be read.
        query = f"DELETE FROM {table} WHERE datastream_id = %s AND {column} >= %s"
        with conn.cursor() as cursor:
            cursor.executemany(query.encode(), [(id, from_micros(end + 6 * DAY)) for id in ids.tolist()])
    conn.execute("UPDATE committed_position SET seq = greatest(seq, (SELECT max(seq) FROM committed))")
    trim(conn, 0.0)
    with conn.cursor(binary=True) as cursor:
        latest.renew(cursor, ids.tolist())
        cursor.execute("DELETE FROM rollup_ahead")
    conn.commit()


def counted(conn: Connection) -> None:
    """Waits until the API has counted all rows, which it does once after its start: seconds of two cores at 100 M."""
    until, quiet = time.monotonic() + 300, 0
    while quiet < 3 and time.monotonic() < until:
        time.sleep(0.5)
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'tram-api' AND state = 'active' AND query_start < now() - interval '0.3 s'"
        ).fetchone()
        conn.commit()
        quiet = quiet + 1 if row == (0,) else 0


def created(settings: Settings, conn: Connection, ids: np.ndarray, end: int) -> dict[str, float]:
    """Observations a CPU-second of API and database by CreateObservations."""
    with serve(settings) as api, closing(database.connect(settings, "bench", autocommit=True)) as other:
        api.client.timeout = 60
        counted(conn)
        found = create(api, other, ids.tolist())
    clear(conn, ids, end)
    return {"CreateObservations a CPU-second": found}


def names_of(conn: Connection) -> list[tuple[str, str]]:
    """(thing, property) of every Datastream."""
    found = [(row.thing, row.property) for row in registry.list_datastreams(conn, limit=DATASTREAMS)]
    conn.commit()
    return found


def asked(settings: Settings, conn: Connection, folder: Path, things: int) -> dict[str, float]:
    """Milliseconds over HTTP, from the request to its last byte; the API is a process of its own, as it always is."""
    expand = quote(EXPAND, safe="$(),;=")
    paths = {
        "latest of all, over HTTP": "/api/latest?limit=10000",
        f"$expand of {things} Things, over HTTP": f"/sta/v1.1/Things?$top={things}&$expand={expand}",
        "newest 100 Observations of all, HTTP": "/sta/v1.1/Observations?$top=100&$orderby=phenomenonTime%20desc",
    }
    found = {}
    token = enter(settings)
    service = Service(
        folder / "api", settings.database_url, settings.secret_key, sta_filter_seconds=30, http_rate=1_000_000
    )
    service.start()
    try:
        counted(conn)
        with closing(HTTPConnection("127.0.0.1", service.port, timeout=60)) as http:

            def get(path: str) -> None:
                http.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                answer = http.getresponse()
                body = answer.read()
                assert answer.status == 200, body[:500]

            for what, path in paths.items():
                found[what] = milliseconds(lambda path=path: get(path), 11)
    finally:
        service.stop()
    return found


def main() -> None:
    """Grows and measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", default="1000000,20000000,100000000")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--limit", type=float, default=math.inf, metavar="SECONDS", help="about how long it may take")
    parser.add_argument("--export", action="store_true", help="memory of exporting 8 days, 5.2 M rows")
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.limit
    steps = [max(2, round(int(rows) / A_DAY)) for rows in arguments.rows.split(",")]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(arguments.folder / "postgres")
    try:
        settings = Settings(database_url=server.start().url, database_timeout=300.0, secret_key=SECRET_KEY)
        with closing(database.connect(settings, "bench")) as conn:
            migrate.migrate(conn, plain=arguments.plain)
            print(f"{detect(conn)}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
            rollups = Rollups(7)
            rollups.start(conn)
            while rollups.step(conn).batches:  # what an earlier run in this folder left in the stream
                conn.commit()
            ids = make_datastreams(conn)
            conn.commit()
            results: list[dict[str, float]] = []
            for wanted in steps:
                days = grow(conn, arguments.folder, ids, wanted, until - MEASURING - CREATING)
                measured = measure(conn, ids, days)
                measured |= asked(settings, conn, arguments.folder, DATASTREAMS // 10)
                end = BEGIN + days * DAY
                if until - time.monotonic() > CREATING:
                    measured |= created(settings, conn, ids, end)
                if until - time.monotonic() > CREATING + (ROUNDS + 1) * TURN:
                    measured |= upkeep(settings, conn, names_of(conn), arguments.folder)
                    clear(conn, ids, end)
                results.append(measured)
                load = os.getloadavg()[0]
                print(f"\n{days * A_DAY:,} rows, load average {load:.1f}", flush=True)
                for what, spent in measured.items():
                    times = f"{spent / results[0][what]:6.2f} x" if what in SAME else ""
                    print(f"| {what:36} | {spent:9.2f} | {times:9} |", flush=True)
        if arguments.export:
            week = (from_micros(BEGIN), from_micros(BEGIN + 8 * DAY))
            exports(settings, arguments.folder, "--from", week[0].isoformat(), "--to", week[1].isoformat())
    finally:
        server.stop()


if __name__ == "__main__":
    main()
