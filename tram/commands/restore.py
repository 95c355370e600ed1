"""`tram restore`: a backup into an empty database."""

import argparse
from pathlib import Path

from tram.commands._noting import note
from tram.commands.migrate import folders
from tram.embedded.addresses import DATABASE, resolve
from tram.settings import Settings
from tram.store import backup
from tram.store.database import connect

HELP = "restore a backup into an empty database, and verify it"
DESCRIPTION = "Refuses a database that holds tables. Every piece is read back and compared; rollups are computed anew."
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where from."""
    parser.add_argument("folder", type=Path)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Restores all of it, or nothing."""
    settings = resolve(settings, needs=(DATABASE,))
    with connect(settings, "restore") as conn:
        rows = backup.restore(
            conn, args.folder, folders(), utc_offset=settings.utc_offset, chunk=settings.observation_chunk, say=print
        )
        note(conn, OPERATION, f"restore {args.folder.name}", {"rows": rows})
    print(f"{rows} rows, every piece verified")
    return 0
