"""`tram import`: history from a CSV file."""

import argparse
import sys
from pathlib import Path

from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.settings import Settings
from tram.store import imports
from tram.store.database import connect

HELP = "load history from a CSV file; safe to repeat, goes on where it was interrupted"
DESCRIPTION = (
    "The file has a head line. Columns called thing, property, unit, time, result, value, quality mean that (so what "
    "`tram export` wrote can be loaded); --mapping names others, --constant gives one for every line, "
    "--column makes a column a property. "
    "Bad lines are listed in FILE.rejected.csv, and the rest is loaded."
)
OPERATION = "server.data"
SHOWN = 20  # bad lines on the screen


def arguments(parser: argparse.ArgumentParser) -> None:
    """The file and what its columns mean."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--mapping", nargs="+", action="extend", default=[], metavar="FIELD=COLUMN")
    parser.add_argument("--constant", nargs="+", action="extend", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--column", nargs="+", action="extend", default=[], metavar="COLUMN=PROPERTY[:UNIT]")
    parser.add_argument("--delimiter", default=",")
    parser.add_argument("--utc-offset", type=float, help="hours, of times that state none (default: TRAM_UTC_OFFSET)")
    parser.add_argument("--again", action="store_true", help="from the beginning, though it was done before")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Loads it; 1 when lines were left out."""
    wide = {column: tuple((what + ":").split(":")[:2]) for column, what in _pairs(args.column, None).items()}
    offset = settings.utc_offset if args.utc_offset is None else args.utc_offset
    if len(args.delimiter) != 1:
        raise SettingsError("--delimiter is one character")
    meaning = imports.Meaning(
        _pairs(args.mapping, imports.FIELDS), _pairs(args.constant, imports.FIELDS),
        {column: (property, unit) for column, (property, unit) in wide.items()}, offset, args.delimiter,
    )  # fmt: skip
    settings = resolve(settings, needs=(DATABASE,))
    rejected = args.file.with_name(args.file.name + ".rejected.csv")
    try:
        file = args.file.open("rb")
    except OSError as error:
        raise SettingsError(f"{args.file} cannot be read: {error.strerror}") from None
    size = args.file.stat().st_size
    with file, connect(settings, "import") as conn, rejected.open("a", encoding="utf-8") as out:
        shown = 0

        def report(line: int, reason: str) -> None:
            nonlocal shown
            quoted = reason.replace('"', '""')
            out.write(f'{line},"{quoted}"\n')
            shown += 1
            if shown <= SHOWN:
                print(f"\rline {line}: {reason}", file=sys.stderr)

        def progress(done: imports.Done) -> None:
            if sys.stderr.isatty() and size:
                share = min(1.0, done.place / size)
                bar = "█" * round(share * 30)
                print(f"\r{bar:<30} {share:4.0%}  {done.line:,} lines", end="", file=sys.stderr, flush=True)

        note(conn, OPERATION, f"import {args.file.name}", {"phase": "begun", "bytes": size})
        done = imports.load(conn, file, meaning, report=report, progress=progress, again=args.again)
        counts = {"inserted": done.inserted, "duplicates": done.duplicates, "bad": done.bad}
        note(conn, OPERATION, f"import {args.file.name}", {"phase": "done", **counts})
    if done.bad:
        print(f"\n{done.bad} bad lines: {rejected}", file=sys.stderr)
    elif rejected.stat().st_size == 0:
        rejected.unlink()
    print(f"{done.inserted} new, {done.duplicates} were there already, {done.bad} bad")
    return 1 if done.bad else 0


def _pairs(given: list[str], known: tuple[str, ...] | None) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or (known is not None and name not in known):
            raise SettingsError(f"{text!r} should be like {(known or ('COLUMN',))[0]}=…")
        found[name] = value
    return found
