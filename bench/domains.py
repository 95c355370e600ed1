"""City services: a year of hourly VN_AQI for 50 stations, computed again: the arithmetic, and from a database and back.

    python -m bench.domains [--stations 50] [--days 365] [--database]

`--database` stores the year's hourly values first (a minute or two), then times reading the means and the indices.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from services.city.inputs import means
from services.domains.air import us_aqi, vn_aqi

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


def arithmetic(stations: int, hours: int) -> float:
    values = year(stations, hours)
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
    print(f"| VN_AQI, {stations} stations x {hours} hours | under {TARGET:.0f} s | {best:.2f} s CPU |")
    print(f"| US AQI of the same | | {us:.2f} s CPU |")
    return best


def from_database(stations: int, hours: int) -> None:
    from tests.databases import Server
    from tests.domains.world import thing
    from tram.store import observations
    from tram.store.batch import Batch

    values = year(stations, hours)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server")
        try:
            with server.database("plain" if server.missing("timescaledb") else "timescaledb") as made:
                conn = made.connect()
                conn.execute("SET statement_timeout = 0")
                things = []
                for s in range(stations):
                    ids = thing(conn, f"s-{s}", dict.fromkeys(vn_aqi.POLLUTANTS, "ug/m3"), (105.8 + s / 100, 21.6))
                    row = conn.execute("SELECT id FROM thing WHERE name = %s", (f"s-{s}",)).fetchone()
                    assert row is not None
                    things.append(row[0])
                    for name, id in ids.items():
                        times = START + HOUR * np.arange(hours)
                        quality = np.zeros(hours, np.int16)
                        observations.write(conn, Batch(np.full(hours, id, np.int32), times, values[name][s], quality))
                    conn.commit()
                began = time.monotonic()
                cube = means(conn, things, vn_aqi.POLLUTANTS, START, START + (hours - 1) * HOUR, HOUR)
                read = time.monotonic() - began
                index, _ = vn_aqi.hourly_index({p: cube.of(p) for p in cube.properties})
                both = time.monotonic() - began
                assert np.isfinite(index).mean() > 0.9
                n = int(cube.n.sum())
                print(f"| reading the means of {n:,} values | | {read:.2f} s |")
                print(f"| means and index together | under {TARGET:.0f} s | {both:.2f} s |")
        finally:
            server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--database", action="store_true")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\n| what | target | measured |\n|---|---|---|")
    arithmetic(arguments.stations, arguments.days * 24)
    if arguments.database:
        from_database(arguments.stations, arguments.days * 24)


if __name__ == "__main__":
    main()
