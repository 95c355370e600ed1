"""`tram rollups rebuild`: rollups and latest values computed anew from the Observations."""

import argparse
import sys

from psycopg import IsolationLevel

from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.settings import Settings
from tram.store.database import connect
from tram.store.rollups import Rollups

HELP = "compute the rollups and latest values anew from the Observations"
DESCRIPTION = (
    "For a worker that fell behind the stream, history that came without rollups, or a changed TRAM_UTC_OFFSET. "
    "The system may run meanwhile; readers see the old rollups until the new ones are whole."
)
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    parser.add_argument("action", choices=("rebuild",))


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Rebuilds in one snapshot (docs/store.md, Rebuild)."""
    settings = resolve(settings, needs=(DATABASE,))
    with connect(settings, "rollups") as conn:
        conn.execute("SET statement_timeout = 0")
        conn.commit()
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        done = Rollups(settings.utc_offset).rebuild(conn, _progress)
        conn.commit()
        conn.isolation_level = IsolationLevel.READ_COMMITTED
        note(conn, OPERATION, "rollups rebuild", {"datastreams": done})
    print(f"{done} Datastreams")
    return 0


def _progress(done: int, all: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} / {all} Datastreams", end="\n" if done == all else "", file=sys.stderr, flush=True)
