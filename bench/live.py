"""The live hub: latency of the whole path, fan-out in events and CPU, memory of idle viewers.

    python -m bench.live [--only path,together,fanout,idle,million] [--seconds 20] [--rate 5000] [--plain]

path      5,000 observations/s published at QoS 1 -> mosquitto -> gateway -> database -> hub -> 200 viewers of 100
          Datastreams each; phenomenonTime is the moment of publishing, latency ends when a viewer has the value.
together  the same with everything else beside: the alarm process with three rules over all of it, the worker with 100
          calculated Datastreams, the simulated province; and how late alarms and calculated values come to viewers.
fanout    batches written straight to the database; events a second that viewers receive, and the hub's CPU for them.
idle      1,000 viewers of one Thing each; what they add to the resident memory of the API process that is the hub.
million   a million Things, and filters that fit all of them. Takes minutes: only when it is named.

Everything runs on this machine, viewers and load included; their CPU is printed beside. Load average is printed first.
Without `million` it takes three and a half minutes.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from bench.live_million import million
from bench.live_stage import EACH, FASTEST, THINGS, VIEWERS, Viewers, messages, name, paced, spread, stage, stored
from bench.live_together import together
from bench.load import Publisher
from tests.servers.gateway import Gateway, cpu_seconds
from tests.servers.mosquitto import Mosquitto


def path(folder: Path, chosen: argparse.Namespace) -> None:
    """Publish -> received."""
    with stage(folder, plain=chosen.plain) as (database, service):
        broker = Mosquitto(folder / "mosquitto", {"autosave_interval": "1800"})
        broker.start()
        gateway = Gateway(folder / "gateway", database.url, broker.url)
        gateway.start()
        viewers = Viewers([service.port], spread(VIEWERS, EACH))
        try:
            publisher = Publisher(broker.port)
            publisher.stream(messages(2 * THINGS), chosen.rate)
            publisher.settle()
            stored(gateway, 2 * THINGS)
            viewers.report()
            count = int(chosen.rate * chosen.seconds)
            before = service.cpu(), cpu_seconds(gateway.pid)
            start = time.perf_counter()
            publisher.stream(messages(count), chosen.rate)
            publisher.settle()
            took = time.perf_counter() - start
            stored(gateway, 2 * THINGS + count)
            time.sleep(2 / FASTEST)
            used = service.cpu() - before[0], cpu_seconds(gateway.pid) - before[1]
            found = viewers.report()
        finally:
            viewers.close()
            gateway.stop()
            broker.stop()
    print(
        f"| {count / took:,.0f} observations/s to {VIEWERS} viewers of {EACH} Datastreams, publish to received: p99 "
        f"| {found['p99']:.0f} ms | under 250 ms; p50 {found['p50']:.0f} ms, largest {found['max']:.0f} ms; "
        f"{found['events'] / took:,.0f} events/s; hub {used[0] / took:.0%}, gateway {used[1] / took:.0%}, viewers "
        f"{found['cpu'] / took:.0%} of a core; {found['closed']} closed |",
        flush=True,
    )


def fanout(folder: Path, chosen: argparse.Namespace) -> None:
    """Events a second, and a CPU-second."""
    with stage(folder, plain=chosen.plain) as (database, service):
        for what, every, rows in (
            ("every Datastream five times a second", 0.2, THINGS),
            ("a tenth of the Datastreams ten times a second", 0.1, THINGS // 10),
        ):
            viewers = Viewers([service.port], spread(VIEWERS, EACH))
            try:
                paced(database, 2, every, rows)
                viewers.report()
                before, start = service.cpu(), time.perf_counter()
                paced(database, chosen.seconds, every, rows)
                took, used, found = time.perf_counter() - start, service.cpu() - before, viewers.report()
            finally:
                viewers.close()
            rate = found["events"] / took
            print(
                f"| {what}: events/s received | {rate:,.0f} | frames/s {found['frames'] / took:,.0f}, hub "
                f"{used / took:.0%} of a core, viewers {found['cpu'] / took:.0%}, p99 {found['p99']:.0f} ms |"
            )
            print(f"| … events a CPU-second of the hub | {found['events'] / used:,.0f} | at least 50,000 |", flush=True)


def idle(folder: Path, chosen: argparse.Namespace) -> None:
    """Memory."""
    with stage(folder, plain=chosen.plain) as (database, service):
        warm = Viewers([service.port], spread(10, 1))
        warm.close()
        before = service.rss()
        viewers = Viewers([service.port], [[name(n)] for n in range(1_000)])
        try:
            paced(database, 5, 0.5, THINGS)
            used = service.cpu()
            start = time.perf_counter()
            time.sleep(10)
            used = (service.cpu() - used) / (time.perf_counter() - start)
            added = service.rss() - before
        finally:
            viewers.close()
    print(f"| 1,000 idle viewers add | {added / 1e6:.0f} MB | under 200 MB; hub {used:.1%} of a core for their beats |")


PARTS = {"path": path, "together": together, "fanout": fanout, "idle": idle, "million": million}
USUAL = [part for part in PARTS if part != "million"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(USUAL))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--plain", action="store_true")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}\n", flush=True)
    print("| what | measured | asked |\n|---|---|---|", flush=True)
    for part in chosen.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](Path(folder), chosen)


if __name__ == "__main__":
    main()
