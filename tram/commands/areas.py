"""`tram areas`: import administrative areas from GeoJSON, or list those there are."""

import argparse
import sys
from pathlib import Path

from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.settings import Settings
from tram.store import areas
from tram.store.database import connect

HELP = "import administrative areas (GeoJSON), or list them"
DESCRIPTION = (
    "Without any import the areas are schematic: cells around the communes' centres. An import describes areas of the "
    "same id anew, and Things without a stated area get the one they stand in."
)
OPERATION = "server.areas"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", help="every area: id, kind, name, parent")
    actions.add_parser("seed", help="the built-in schematic areas, if there are none at all")
    load = actions.add_parser("import", help="a FeatureCollection of Polygons")
    load.add_argument("file", type=Path)
    load.add_argument("--id", default="code", help="property that holds the id (default: code)")
    load.add_argument("--name", default="name", help="property that holds the name (default: name)")
    load.add_argument("--kind", default="kind", help="property that holds the kind: Xã, Phường, … (default: kind)")
    load.add_argument("--parent", help="id of the area that they are in")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it; 1 when some features were left out."""
    settings = resolve(settings, needs=(DATABASE,))
    with connect(settings, "areas") as conn:
        if args.action == "list":
            for area in areas.list_areas(conn):
                drawn = "sơ đồ / schematic" if area.schematic else ""
                print("\t".join((area.id, area.kind, area.name, area.parent or "", drawn)).rstrip())
            return 0
        if args.action == "seed":
            seeded = areas.seed(conn)
            note(conn, OPERATION, "areas seed", {"areas": seeded})
            print(f"{seeded} areas")
            return 0
        try:
            data = args.file.read_bytes()
        except OSError as error:
            raise SettingsError(f"{args.file} cannot be read: {error.strerror}") from None
        done = areas.import_geojson(conn, data, id=args.id, name=args.name, kind=args.kind, parent=args.parent)
        note(conn, OPERATION, f"areas import {args.file.name}", {"areas": done.loaded, "faults": len(done.faults)})
        placed = 0
        while looked := areas.place(conn):
            placed += looked
    for number, fault in done.faults:
        print(f"feature {number}: {fault}", file=sys.stderr)
    print(f"{done.loaded} areas, {placed} Things looked at")
    return 1 if done.faults else 0
