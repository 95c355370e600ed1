"""City services: a year of hourly VN_AQI for 50 stations computed again: from the database, and back into it.

    python -m bench.domains [--stations 50] [--days 365] [--plain] [--arithmetic]

The year's hourly values of six pollutants are stored first (a minute or two). Then the service itself computes it, as
`tram domain recompute` does: the first time everything is new, the second time it stands there already, the third time
a breakpoint of PM2.5 was changed and what follows from it is corrected. US AQI is computed and stored along with
VN_AQI. CPU is that of this process and of the server's processes for it together. `--arithmetic`: without a database.
"""

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.alarms import TICKS, cpu
from services.city.discovery import discover
from services.city.recompute import whole
from services.domains.air import us_aqi, vn_aqi
from tests.databases import Server
from tests.domains.world import thing
from tram.settings import Settings
from tram.store import observations
from tram.store.batch import Batch
from tram.store.database import Connection

TARGET = 5.0
HOUR = 3_600_000_000
START = 1_767_200_400_000_000  # 2026-01-01T00:00+07:00
SCALE = {"pm2_5": 45.0, "pm10": 80.0, "o3": 90.0, "no2": 60.0, "so2": 40.0, "co": 2500.0}


def year(stations: int, hours: int) -> dict[str, np.ndarray]:
    """Hourly means of every pollutant with 3 % missing; shape (stations, hours) each."""
    rng = np.random.default_rng(1)
    found = {}
    for name in vn_aqi.POLLUTANTS:
        values = SCALE[name] * rng.lognormal(0.0, 0.6, (stations, hours))
        values[rng.random((stations, hours)) < 0.03] = np.nan
        found[name] = values
    return found


def arithmetic(values: Mapping[str, np.ndarray]) -> None:
    best = 1e9
    for _ in range(3):
        began = time.process_time()
        index, subs = vn_aqi.hourly_index(values)
        vn_aqi.worst(subs)
        best = min(best, time.process_time() - began)
    assert np.isfinite(index).mean() > 0.9
    began = time.process_time()
    us_aqi.hourly_index(values)
    us = time.process_time() - began
    print(f"| the arithmetic alone: VN_AQI, and US AQI of the same | | {best:.2f} and {us:.2f} s CPU |", flush=True)


def fill(conn: Connection, values: Mapping[str, np.ndarray]) -> int:
    """One good value an hour, none where it is missing; how many."""
    stations, hours = values["pm2_5"].shape
    times, n = START + HOUR * np.arange(hours), 0
    for s in range(stations):
        units = dict.fromkeys(values, "ug/m3")
        for name, id in thing(conn, f"s-{s}", units, (105.8 + s / 100, 21.6)).items():
            there = np.flatnonzero(~np.isnan(values[name][s]))
            batch = Batch(np.full(len(there), id, np.int32), times[there], values[name][s][there],
                          np.zeros(len(there), np.int16))  # fmt: skip
            n += observations.write(conn, batch).inserted
        conn.commit()
    return n


@dataclass
class Spent:
    """Seconds."""

    wall: float = 0.0
    cpu: float = 0.0


@contextlib.contextmanager
def measured(conn: Connection) -> Iterator[Spent]:
    spent, server = Spent(), int(stat(conn.info.backend_pid)[1])
    already = children(server)
    before, began = cpu(os.getpid()) + ended(server), time.monotonic()
    yield spent
    spent.wall = time.monotonic() - began
    while children(server) - already and time.monotonic() < began + spent.wall + 10.0:
        time.sleep(0.05)
    spent.cpu = cpu(os.getpid()) + ended(server) - before


def stat(pid: int) -> list[str]:
    """proc(5), from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> set[str]:
    with contextlib.suppress(OSError):
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return set()


def ended(pid: int) -> float:
    """Seconds of CPU of a process's children that have ended: of a server, of the connections that are closed."""
    return sum(map(int, stat(pid)[13:15])) / TICKS


def computed_again(conn: Connection, settings: Settings, values: Mapping[str, np.ndarray]) -> None:
    air = next(one for one in discover() if one.name == "air")
    hourly = replace(air, derivations=[one for one in air.derivations if one.name == "hourly"])
    stations, hours = values["pm2_5"].shape
    end = START + hours * HOUR
    breaks = {**vn_aqi.BREAKS, "pm2_5": np.array([0.0, 20, 50, 80, 150, 250, 350, 500])}
    kept = vn_aqi.BREAKS
    for told, table in (("all of it new", kept), ("all of it there already", kept), ("a breakpoint changed", breaks)):
        vn_aqi.BREAKS = table
        with measured(conn) as spent:
            total = whole(settings, hourly, START, end, end + 24 * HOUR)
        vn_aqi.BREAKS = kept
        assert sum(total) > 1.8 * stations * hours, total
        print(f"| {told}: {total[0]:,} new, {total[1]:,} corrected, {total[3]:,} as they were | under {TARGET:.0f} s | "
              f"{spent.wall:.2f} s ({spent.cpu:.2f} s CPU) |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--plain", action="store_true", help="without TimescaleDB")
    parser.add_argument("--arithmetic", action="store_true", help="without a database")
    arguments = parser.parse_args()
    values = year(arguments.stations, arguments.days * 24)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\n| what | target | measured |\n|---|---|---|")
    arithmetic(values)
    if arguments.arithmetic:
        return
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server")
        try:
            plain = arguments.plain or server.missing("timescaledb") is not None
            with server.database("plain" if plain else "timescaledb") as made:
                conn = made.connect()
                conn.execute("SET statement_timeout = 0")
                n = fill(conn, values)
                print(f"| values that are read ({made.edition}) | | {n:,} |", flush=True)
                computed_again(conn, made.settings, values)
        finally:
            server.close()


if __name__ == "__main__":
    main()
