"""`tram up`: the whole system on this machine, until Ctrl-C."""

import argparse
import contextlib
import os
import time

import tram
from tram.commands._demo import first_run
from tram.embedded import addresses, system, timescaledb
from tram.embedded.lock import HomeLock
from tram.embedded.supervisor import Supervisor
from tram.errors import SettingsError, TramError
from tram.settings import Settings

HELP = "run the whole system on this machine; Ctrl-C stops all of it"
OPERATION = "server.run"
DESCRIPTION = (
    "Starts the embedded PostgreSQL and MQTT broker (unless TRAM_DATABASE_URL or TRAM_MQTT_URL names a real one), "
    "migrates, starts the planes and the simulated province, and says where they are. Data, logs and run files are in "
    "TRAM_HOME (.tram)."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which planes, and how much to say."""
    parser.add_argument("--no-simulate", action="store_true", help="without the simulated province")
    parser.add_argument(
        "--only", metavar="NAME[,NAME…]", type=_names,
        help=f"only these planes, of {', '.join(system.NAMES)}; database, broker and migrations always run",
    )  # fmt: skip
    parser.add_argument("--logs", action="store_true", help="print the parts' logs too, each line with its part's name")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in system.NAMES:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(system.NAMES)}")
    return names


def _chosen(only: list[str] | None, *, simulate: bool) -> list[str]:
    """The planes to run: those asked for, else all that this installation has."""
    for name in only or ():
        if not system.installed(name):
            raise SettingsError(f"{name} is not part of this installation")
    names = only or [name for name in system.NAMES if system.installed(name)]
    return [name for name in names if simulate or name != system.SIMULATOR]


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Runs until it is told to stop; 0 then, 1 when a part that is needed cannot be kept running."""
    began = time.monotonic()
    names = _chosen(args.only, simulate=not args.no_simulate)
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{settings.home} cannot be made: {error.strerror}; set TRAM_HOME") from None
    lock = HomeLock(addresses.run_folder(settings)).acquire()
    try:
        settings, ports = system.choose_ports(settings)
        system.check_ports(settings, names)
        addresses.withdraw(settings)  # of a run that was killed
        _say(f"Trạm {tram.__version__}, {settings.home.absolute()}")
        if not settings.database_url:
            version = timescaledb.installed()
            _say(f"  PostgreSQL {f'+ TimescaleDB {version}' if version else '(`make timescaledb` adds TimescaleDB)'}")

        def announce() -> None:
            shown = system.public_addresses(settings, names)
            addresses.publish_all(settings, shown)
            _say(f"sẵn sàng / ready, {time.monotonic() - began:.1f} s")
            for name, address in shown.items():
                _say(f"  {name:<12}{address}")
            for line in _demo(settings):
                _say(line)
            _say(f"  {'logs':<12}{settings.home / 'logs'}\nCtrl-C: dừng tất cả / stops all of it")

        supervisor = Supervisor(
            system.parts(settings, names),
            lock=lock,
            log_folder=settings.home / "logs",
            say=_say,
            on_ready=announce,
            echo=(lambda name, line: _say(f"{name:>10} | {line}")) if args.logs else None,
            environment=system.child_environment(os.environ, ports),
        )
        try:
            code = supervisor.run()
        finally:
            addresses.withdraw(settings)
        if code == 0:
            _say("đã dừng / stopped")
        return code
    finally:
        lock.release()


def _demo(settings: Settings) -> list[str]:
    """The demo's people, made the first time; where they are already, how to get in again."""
    if settings.environment == "production":
        return []
    try:
        lines = first_run(settings)
    except TramError as error:
        return [f"  (không tạo được tài khoản trình diễn / no demo people: {error})"]
    return lines or ["  quên mật khẩu / forgot a password: `tram user list`, `tram user passwd NAME`"]


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone; the system goes on
        print(line, flush=True)
