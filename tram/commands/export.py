"""`tram export`: Observations into a file."""

import argparse
import os
import sys
from pathlib import Path

from tram.clock import parse_rfc3339
from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.settings import Settings
from tram.store import export
from tram.store.database import connect

HELP = "write Observations to a CSV, GeoJSON or Parquet file"
DESCRIPTION = "The end of the file's name says the format: .csv, .geojson, .parquet. In constant memory, however many."
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to take out."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--thing", help="only this Thing")
    parser.add_argument("--property", help="only this ObservedProperty")
    parser.add_argument("--from", dest="start", metavar="TIME", help="RFC 3339, with an offset")
    parser.add_argument("--to", dest="end", metavar="TIME", help="RFC 3339, with an offset; not included")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Writes it beside the name and moves it there when it is whole."""
    kind = args.file.suffix.removeprefix(".")
    if kind not in export.TYPES:
        raise SettingsError(f"{args.file.name} ends in none of .csv, .geojson, .parquet")
    try:
        start, end = (None if text is None else parse_rfc3339(text) for text in (args.start, args.end))
    except ValueError as error:
        raise SettingsError(f"no time with an offset: {error}") from None
    settings = resolve(settings, needs=(DATABASE,))
    part = args.file.with_name(args.file.name + ".part")
    written = 0
    with connect(settings, "export") as conn, part.open("wb") as file:
        span = export.select(conn, thing=args.thing, property=args.property, start=start, end=end)
        for piece in export.stream(conn, span, kind):
            file.write(piece)
            written += len(piece)
            if sys.stderr.isatty():
                print(f"\r{written >> 20} MiB", end="", file=sys.stderr, flush=True)
        file.flush()
        os.fsync(file.fileno())
        detail = {"thing": args.thing, "property": args.property, "from": args.start, "to": args.end}
        note(conn, OPERATION, f"export {args.file.name}", {**detail, "bytes": written})
    part.replace(args.file)
    print(f"{len(span.datastreams)} Datastreams, {written} bytes")
    return 0
