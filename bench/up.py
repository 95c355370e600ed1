"""How soon `tram up` is ready, and how soon a published value is in the API. `python -m bench.up [--repeat N]`.

A folder of its own, free ports, every plane and the simulated province; the environment is installed already. Published
by `mosquitto_pub`, a new process each time, asked for over HTTP every 10 ms.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.journey.system import System
from tests.waiting import until


def latest(system: System, thing: str) -> float | None:
    """The newest value of a Thing with one Datastream."""
    status, rows = system.get(f"/api/things/{thing}/latest")
    return rows[0]["result"] if status == 200 and rows else None


def delay(system: System, number: int) -> float:
    """Seconds from starting `mosquitto_pub` until the API answers with its value."""
    value = 20.0 + number / 100
    began = time.monotonic()
    system.publish("tram/v1/bench-up/telemetry", json.dumps({"air_temperature": value}))
    until(lambda: latest(system, "bench-up") == value, "the published value", every=0.01)
    return time.monotonic() - began


def run(folder: Path, publications: int) -> tuple[float, list[float]]:
    """One start and stop: (seconds until ready, delays of the publications in seconds)."""
    system = System(folder)
    try:
        ready = system.ready(timeout=300)
        delays = [delay(system, number) for number in range(publications)]
        system.stop()
        return ready, delays
    finally:
        system.destroy()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeat", type=int, default=3, help="how many warm starts (3)")
    repeat = arguments.parse_args().repeat
    with tempfile.TemporaryDirectory(prefix="tram-bench-up-") as name:
        folder = Path(name)
        first, delays = run(folder, 20)
        warm = [run(folder, 0)[0] for _ in range(repeat)]
    print("| what | measured | asked |")
    print("|---|---|---|")
    print(f"| first start in an empty folder until ready | {first:.1f} s | 180 s with the installation |")
    print(f"| second start until ready, median of {repeat} | {statistics.median(warm):.1f} s | 15 s |")
    middle, worst = statistics.median(delays), max(delays)
    print(f"| mosquitto_pub started until the API has the value, median (worst) of {len(delays)} "
          f"| {middle * 1000:.0f} ms ({worst * 1000:.0f} ms) | 1,000 ms |")  # fmt: skip


if __name__ == "__main__":
    main()
