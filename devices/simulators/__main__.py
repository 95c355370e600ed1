"""`python -m devices.simulators`: the living province, or one question to the one that runs."""

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

from devices.simulators.province import Province
from devices.simulators.run import Runner, ask
from devices.simulators.scenarios import NAMES, TITLES
from devices.simulators.wire import address_of
from tram.embedded import addresses
from tram.errors import SettingsError
from tram.runtime import Heartbeat, Readiness, setup_logging
from tram.settings import Settings, load


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="tram simulate",
        description="Tỉnh mô phỏng / a simulated province: 92 communes, over 2,000 Datastreams.",
        epilog="\n".join(["scenarios:", *(f"  {name:20} {title}" for name, title in TITLES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--seed", type=int, default=1, help="the same seed gives the same province and values (1)")
    p.add_argument("--rate", type=float, default=0.0, help="messages a second, as a load generator (the normal rhythm)")
    p.add_argument(
        "--scenario", choices=NAMES, help="asks the running province for it; if none runs, begins one with it"
    )
    p.add_argument("--stop", choices=(*NAMES, "all"), help="asks the running province to end a scenario")
    p.add_argument("--for", dest="lasts", type=float, default=1800.0, metavar="SECONDS", help="a scenario lasts (1800)")
    p.add_argument("--mqtt", metavar="URL", help="the broker (TRAM_MQTT_URL, or the one of `make up`)")
    p.add_argument("--duration", type=float, metavar="SECONDS", help="ends by itself")
    p.add_argument("--once", action="store_true", help="one message of every Thing, then the end")
    p.add_argument(
        "--past", type=float, metavar="DAYS",
        help="writes the values of so many days before now as CSV, for `tram import`; publishes nothing",
    )  # fmt: skip
    p.add_argument("--every", type=float, default=600.0, metavar="SECONDS", help="between two values of --past (600)")
    p.add_argument("--list", action="store_true", help="says what stands in the province, and publishes nothing")
    return p


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 2 for a wrong setting, 1 when a request was refused or a broker did not answer."""
    p = parser()
    args = p.parse_args(argv)
    if not 0 <= args.rate <= 1e6 or not 0 <= args.seed < 2**31 or (args.duration is not None and args.duration <= 0):
        p.error("--rate is 0 to 1000000, --seed 0 to 2147483647, --duration more than 0")
    if args.list:
        return _list(Province(args.seed))
    if args.past is not None:
        if not 0 < args.past <= 3660 or not 1 <= args.every <= 86400:
            p.error("--past is at most 3660 days, --every 1 to 86400 seconds")
        return _past(Province(args.seed), args.past, args.every)
    try:
        settings = _settings(args.mqtt)
    except (SettingsError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    with asyncio.Runner() as runner:
        return runner.run(_main(args, settings))


def _settings(mqtt: str | None) -> Settings:
    settings = load(os.environ)
    settings = replace(settings, mqtt_url=mqtt) if mqtt else addresses.resolve(settings, needs=(addresses.MQTT,))
    address_of(settings.mqtt_url)
    try:
        return addresses.resolve(settings, needs=(addresses.DATABASE,))
    except SettingsError:
        return settings  # no process table to appear in: the simulator itself needs no database


async def _main(args: argparse.Namespace, settings: Settings) -> int:
    setup_logging("simulator", settings.log_level)
    for name, action in ((args.stop, "stop"), (args.scenario, "start")):
        if name:
            answer = await ask(settings.mqtt_url, name, action, args.lasts)
            if answer is not None:
                print(f"simulator: {name}: {action}" if answer.get("ok") else f"simulator: {answer.get('error')}")
                return 0 if answer.get("ok") else 1
            if action == "stop":
                print("simulator: no simulated province answers at this broker", file=sys.stderr)
                return 1
    runner = Runner(Province(args.seed), settings.mqtt_url, args.rate)
    if args.once:
        if await runner.once():
            return 0
        print("simulator: the broker did not take everything in 30 s", file=sys.stderr)
        return 1
    if args.scenario:
        runner.switch(args.scenario, duration=int(args.lasts * 1000))
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    heartbeat = Heartbeat("simulator", settings, Readiness(), runner.detail) if settings.database_url else None
    if heartbeat:
        heartbeat.start()
    try:
        await runner.run(stopping, args.duration)
    finally:
        if heartbeat:
            heartbeat.stop()
    return 0


def _list(province: Province) -> int:
    for group in province.groups:
        kind = group.kind
        print(f"{kind.name:8} {len(group.names):4} x {', '.join(name for name, _ in kind.properties)}")
    print(f"{province.things} Things, {province.datastreams} Datastreams")
    return 0


def _past(province: Province, days: float, every: float) -> int:
    end = time.time_ns() // 1_000_000
    print("thing,property,time,result")
    try:
        for thing, name, at, value in province.past(end - round(days * 86_400_000), end, round(every * 1000)):
            print(f"{thing},{name},{datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec='milliseconds')},{value}")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it has had enough; nothing is left for the interpreter to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
