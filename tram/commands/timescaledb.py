"""`tram timescaledb`: gives the embedded PostgreSQL its TimescaleDB extension."""

import argparse

from tram.embedded import timescaledb
from tram.settings import Settings

HELP = "build the TimescaleDB extension for the embedded PostgreSQL (once a machine)"
OPERATION = "server.run"
DESCRIPTION = (
    "Fetches Debian's source package of TimescaleDB through this machine's apt, builds it against the embedded "
    "PostgreSQL and puts it beside it; from its next start on, `tram up` uses hypertables. What was built is kept in "
    "~/.cache/tram, so that another environment has it at once. Exit code 1, with one line for each thing missing, "
    "where it cannot be built; plain PostgreSQL goes on working."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Only a question."""
    parser.add_argument("--check", action="store_true", help="only say whether it is there (exit code 0 or 1)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Builds it where it is not there."""
    if version := timescaledb.installed():
        print(f"TimescaleDB {version} is there")
        return 0
    if args.check:
        print("TimescaleDB is not there: `make timescaledb` builds it")
        return 1
    version = timescaledb.install(lambda line: print(f"timescaledb: {line}", flush=True))
    print(f"TimescaleDB {version} is there; `tram up` uses it from its next start on")
    return 0
