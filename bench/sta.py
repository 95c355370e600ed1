"""SensorThings: the nested $expand, paging through Observations, and CreateObservations in CPU time.

    python -m bench.sta [--url postgresql://…] [--rows 2000000] [--things 500] [--streams 5000]

Without --url an embedded PostgreSQL is started in a temporary folder. The server is a real uvicorn in this process,
which asks it too: "api" is the CPU of both, "database" that of the connections' backends (/proc).
"""

import argparse
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import psycopg

from bench.store_write import START, backend_cpu
from tests.servers.api import Api, serve
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store import database, migrate, observations, registry
from tram.store.batch import Batch

EXPAND = "Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc))"
STEP = 20_000


def fill(conn: database.Connection, things: int, streams: int, rows: int) -> list[int]:
    """`rows` Observations, spread evenly over all Datastreams, one every 5 minutes; returns their ids."""
    each = streams // things
    names = (
        "pm2_5",
        "pm10",
        "air_temperature",
        "relative_humidity",
        "no2",
        "o3",
        "so2",
        "co",
        "wind_speed",
        "rainfall",
    )
    ids = []
    for n in range(things):
        keys = [registry.Key(f"t-{n:04d}", names[k % 10] + ("" if k < 10 else str(k)), "") for k in range(each)]
        found = registry.resolve(conn, keys, "open")
        ids += [one.datastream_id for one in found.values() if isinstance(one, registry.Resolved)]
    conn.commit()
    random = np.random.default_rng(1)
    every = np.array(ids, np.int32)
    for first in range(0, rows, STEP):
        place = np.arange(first, min(first + STEP, rows))
        times = START + (place // len(every)) * 300_000_000
        batch = Batch(
            every[place % len(every)], times, random.normal(20, 5, len(place)), np.zeros(len(place), np.int16)
        )
        observations.write(conn, batch)
        conn.commit()
    conn.execute("ANALYZE")
    conn.commit()
    return ids


def backends(conn: database.Connection) -> dict[int, float]:
    """CPU seconds of the API's connections so far, by process."""
    rows = conn.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'tram-api'").fetchall()
    return {pid: backend_cpu(pid) for (pid,) in rows}


def since(conn: database.Connection, before: dict[int, float]) -> float:
    """CPU seconds of those that are there now; one of an API that has just ended may have been there before."""
    return sum(spent - before.get(pid, 0.0) for pid, spent in backends(conn).items())


def timed(api: Api, conn: database.Connection, what: str, path: str, repeat: int = 15) -> None:
    """Prints the median and least time of a GET, and the CPU of both sides."""
    took, size = [], 0
    own, theirs = time.process_time(), backends(conn)
    for _ in range(repeat):
        start = time.perf_counter()
        answer = api.client.get(f"/sta/v1.1/{path}")
        took.append(time.perf_counter() - start)
        assert answer.status_code == 200, answer.text
        size = len(answer.content)
    cpu, backend = (time.process_time() - own) / repeat, since(conn, theirs) / repeat
    print(
        f"{what:44s} median {statistics.median(took) * 1e3:7.1f} ms, least {min(took) * 1e3:7.1f} ms, "
        f"CPU api {cpu * 1e3:6.1f} + database {backend * 1e3:6.1f} ms, {size / 1e3:8.0f} kB",
        flush=True,
    )


def create(api: Api, conn: database.Connection, ids: list[int], n: int = 50_000, repeat: int = 5) -> float:
    """Prints Observations a CPU-second of both sides by CreateObservations, and returns it."""
    own, theirs, start = time.process_time(), backends(conn), time.perf_counter()
    for turn in range(repeat):
        first = datetime(2031, 1, 1 + turn, tzinfo=UTC)
        rows = n // 50
        moments = [(first + timedelta(seconds=k)).isoformat() for k in range(rows)]
        body = [
            {"Datastream": {"@iot.id": id}, "components": ["phenomenonTime", "result"], "dataArray@iot.count": rows,
             "dataArray": [[moment, 20.5 + k % 7] for k, moment in enumerate(moments)]}
            for id in ids[:50]
        ]  # fmt: skip
        before = time.process_time()
        raw = httpx.Request("POST", "http://x", json=body).content
        own += time.process_time() - before  # making the body is the client's work
        answer = api.client.post("/sta/v1.1/CreateObservations", content=raw)
        assert answer.status_code == 201, answer.text[:300]
    cpu, backend = time.process_time() - own, since(conn, theirs)
    total = n * repeat
    print(
        f"{'CreateObservations, 50,000 a request':44s} {total / (cpu + backend):,.0f} a CPU-second of API and database "
        f"(µs each: api {cpu / total * 1e6:.2f}, database {backend / total * 1e6:.2f}), "
        f"{total / (time.perf_counter() - start):,.0f}/s",
        flush=True,
    )
    return total / (cpu + backend)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--things", type=int, default=500)
    parser.add_argument("--streams", type=int, default=5_000)
    chosen = parser.parse_args()
    if chosen.url:
        bench(chosen.url, chosen)
        return
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "server")
        server.cluster.prepare()
        server.start()
        try:
            bench(server.url, chosen)
        finally:
            server.stop()


def bench(url: str, chosen: argparse.Namespace) -> None:
    """All of it, on one database."""
    with psycopg.connect(url) as conn:
        migrate.migrate(conn)
    settings = Settings(database_url=url)
    with database.connect(settings, "bench") as conn, serve(settings) as api:
        start = time.perf_counter()
        ids = fill(conn, chosen.things, chosen.streams, chosen.rows)
        conn.autocommit = True
        print(
            f"{chosen.rows:,} rows, {len(ids)} Datastreams, {time.perf_counter() - start:.0f} s; {os.cpu_count()} CPUs"
        )
        api.client.timeout = 60
        timed(
            api,
            conn,
            f"$expand of {chosen.things} Things, newest of each",
            f"Things?$top={chosen.things}&$expand={EXPAND}",
        )
        newest = "Observations($top=1;$orderby=phenomenonTime desc;$select=result,phenomenonTime)"
        few = f"Datastreams($select=id,name;$expand={newest})"
        timed(api, conn, "  … with $select", f"Things?$top={chosen.things}&$select=id,name&$expand={few}")
        timed(api, conn, "1,000 Observations of a Datastream", f"Datastreams({ids[7]})/Observations?$top=1000")
        timed(api, conn, "1,000 Datastreams", "Datastreams?$top=1000")
        path = "Observations?$filter=result gt 30 and phenomenonTime gt 2026-06-01T00:00:00Z&$top=100"
        timed(api, conn, "100 Observations of all by value", path)
        create(api, conn, ids)


if __name__ == "__main__":
    main()
