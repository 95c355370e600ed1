"""`python -m devices.agents publish --thing X --mqtt URL --store FILE < lines`: telemetry from a shell or a script.

A line is a JSON object of values (`{"pm2_5": 12.5}`, with "ts" if it has a time), or `property value`.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from devices.agents.publisher import Publisher
from tram.errors import TramError


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 0 all sent, 1 some of it waits in the store or was no reading, 2 cannot start."""
    parser = argparse.ArgumentParser(prog="python -m devices.agents", description=(__doc__ or "").partition("\n\n")[2])
    command = parser.add_subparsers(dest="command", required=True).add_parser("publish", help="publish lines of stdin")
    command.add_argument("--thing", required=True)
    command.add_argument("--mqtt", default=os.environ.get("TRAM_MQTT_URL", "mqtt://127.0.0.1:1883"), metavar="URL")
    command.add_argument("--store", type=Path, help="file of what waits (tram-<thing>.sqlite)")
    command.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="for the broker, at the end (30)")
    command.add_argument("--no-fsync", action="store_true", help="spare the flash: a power cut may lose the newest")
    args = parser.parse_args(argv)
    store = args.store or Path(f"tram-{''.join(c if c.isalnum() else '-' for c in args.thing)}.sqlite")
    wrong = 0
    try:
        with Publisher(args.thing, args.mqtt, store, fsync=not args.no_fsync) as publisher:
            for number, line in enumerate(sys.stdin, 1):
                try:
                    values, ts = _values(line)
                    if values:
                        publisher.add(values, ts)
                except (ValueError, TypeError) as error:
                    wrong += 1
                    print(f"line {number}: {error}", file=sys.stderr)
            if not publisher.flush(args.wait):
                print(f"{publisher.waiting} records wait in {store} for the broker", file=sys.stderr)
                return 1
    except TramError as error:
        print(f"agent: {error}", file=sys.stderr)
        return 2
    return 1 if wrong else 0


def _values(line: str) -> tuple[dict[str, Any], int | None]:
    text = line.strip()
    if not text.startswith("{"):
        name, _, value = text.partition(" ")
        return ({name: json.loads(value)}, None) if name else ({}, None)
    values = json.loads(text)
    return values, values.pop("ts", None)


if __name__ == "__main__":
    sys.exit(main())
