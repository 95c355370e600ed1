"""`tram backup`: the whole database into a folder."""

import argparse
from pathlib import Path

from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.settings import Settings
from tram.store import backup
from tram.store.database import connect

HELP = "write the whole database into a folder, with checksums; --verify checks one"
DESCRIPTION = (
    "One snapshot; the system runs meanwhile. The folder holds personal data as the database does: keep it as safe. "
    "The server's key (TRAM_HOME) is not in it."
)
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verify", action="store_true", help="check a backup that is there; needs no database")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Writes, then checks what was written."""
    if not args.verify:
        settings = resolve(settings, needs=(DATABASE,))
        with connect(settings, "backup") as conn:
            note(conn, OPERATION, f"backup {args.folder.name}", {})
            backup.backup(conn, args.folder, print)
    print(f"{backup.verify(args.folder)} rows, every checksum holds")
    return 0
