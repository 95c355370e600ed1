"""`tram audit`: verify the chain, export it, write its anchor."""

import argparse
import json
import sys
from pathlib import Path

from tram.commands._identity import Desk, desk
from tram.errors import SettingsError
from tram.identity import chain
from tram.settings import Settings
from tram.store import audit

HELP = "the audit: verify, export, anchor"
OPERATIONS = {"verify": "audit.verify", "export": "audit.export", "anchor": "audit.verify"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    verify = what.add_parser(
        "verify", help="find rows that were edited, deleted or cut off; exit code 1 when there are"
    )
    verify.add_argument("--anchors", type=Path, help="file of anchors kept elsewhere; without: the one in TRAM_HOME")
    verify.add_argument("--file", type=Path, help="an export to verify by itself, instead of the database")
    what.add_parser("export", help="every row with its hashes, one JSON object a line, on stdout")
    what.add_parser("anchor", help="write the chain's present hash outside the database now")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    anchors = settings.home / audit.ANCHORS
    if args.what == "verify":
        known = audit.read_anchors(args.anchors or anchors)
        if args.file is not None:
            return _tell(list(chain.verify(_read(args.file), known)), len(known), str(args.file))
        with desk(settings, OPERATIONS["verify"]) as at:
            faults = audit.verify(at.conn, known)
            rows = audit.head(at.conn)[0]
            _note(at, faults)
        return _tell(faults, len(known), f"{rows} rows")
    with desk(settings, OPERATIONS[args.what]) as at:
        if args.what == "anchor":
            written = audit.anchor(at.conn, anchors, int(at.now * 1e6))
            print(f"{anchors}: {written.seq if written else 'nothing new'}")
            return 0
        for row in audit.rows(at.conn):
            print(json.dumps(audit.exported(row), ensure_ascii=False))
        at.note("audit")
    return 0


def _note(at: Desk, faults: list[chain.Fault]) -> None:
    if faults:
        at.event("audit.fault", "audit", {"faults": len(faults)})
    at.note("audit", {"faults": len(faults)})


def _tell(faults: list[chain.Fault], anchors: int, what: str) -> int:
    for fault in faults[:100]:
        print(f"{fault.kind}: {fault.message}")
    if faults:
        print(f"tram: {what}: {len(faults)} faults; the audit was tampered with", file=sys.stderr)
        return 1
    print(f"{what}: whole, compared with {anchors} anchors")
    return 0


def _read(file: Path) -> list[chain.Linked]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return [audit.imported(json.loads(line)) for line in lines if line]
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(f"{file} is no export of the audit") from None
