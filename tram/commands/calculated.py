"""`tram calculated`: calculated Datastreams from the server."""

import argparse
import math
import time

from tram.clock import SECOND, from_micros
from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import NotFoundError, SettingsError
from tram.expressions import duration
from tram.settings import Settings
from tram.store import calculated, calculated_trial, registry
from tram.store.calculated import Definition, Draft
from tram.store.database import Connection, connect

HELP = "list, try, add, change and remove calculated Datastreams"
DESCRIPTION = (
    "A value from others by an expression, e.g. tram calculated add --result river-01 rise --unit m/h "
    "--expression \"rate(h, '1h')\" --input h=river-01:water_level"
)
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with what."""
    parser.add_argument("action", choices=("list", "try", "add", "change", "remove"))
    parser.add_argument("id", nargs="?", type=int, help="which one, for change and remove")
    parser.add_argument("--result", nargs=2, metavar=("THING", "PROPERTY"), help="what the result is of")
    parser.add_argument("--unit", default="", help="UCUM; default: the property's own")
    parser.add_argument("--expression", default="", help="see docs/calculated.md")
    parser.add_argument(
        "--input", action="append", default=[], metavar="NAME=THING:PROPERTY", help="or NAME=Datastream's id"
    )
    parser.add_argument("--trigger", action="append", default=[], metavar="NAME", help="inputs that make values")
    parser.add_argument("--max-age", default="1h", help="how long a newest value counts: 90s, 10min, 1h, 2d")
    parser.add_argument("--over", default="1d", help="for try: how much history, e.g. 7d")
    parser.add_argument("--label", default="")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    settings = resolve(settings, needs=(DATABASE,))
    with connect(settings, "calculated") as conn:
        if args.action == "list":
            for one in calculated.list_definitions(conn):
                _print(one)
        elif args.action == "try":
            _try(conn, _draft(conn, args), _span(args.over, "--over"))
        elif args.action == "add":
            made = calculated.add(conn, _draft(conn, args), "m:server")
            note(conn, OPERATION, f"calculated {made.id}", {"expression": made.expression})
            _print(made)
        elif args.id is None:
            raise SettingsError(f"say which one: `tram calculated {args.action} ID`")
        elif args.action == "change":
            made = calculated.change(conn, args.id, _draft(conn, args))
            note(conn, OPERATION, f"calculated {made.id}", {"expression": made.expression})
            _print(made)
        else:
            calculated.remove(conn, args.id)
            note(conn, OPERATION, f"calculated {args.id}", {"removed": True})
    return 0


def _print(one: Definition) -> None:
    state = one.fault or ("computing history" if one.waiting else "ok") if one.enabled else "off"
    print(f"{one.id}\t{one.thing}\t{one.property}\t{one.unit}\t{one.expression}\t{state}")


def _try(conn: Connection, draft: Draft, span: int) -> None:
    now = time.time_ns() // 1000
    found = calculated_trial.trial(conn, draft, now - span, now, 20)
    for at, value in zip(found.times.tolist(), found.values.tolist(), strict=True):
        print(f"{from_micros(at).isoformat()}\t{'undefined' if math.isnan(value) else f'{value:g}'}")
    print(f"{found.count} values in {found.unit or 'no unit'}, {found.undefined} undefined, of {found.looked_at} rows")


def _draft(conn: Connection, args: argparse.Namespace) -> Draft:
    if not args.result or not args.expression or not args.input:
        raise SettingsError("--result, --expression and --input are needed")
    return Draft(
        thing=args.result[0], property=args.result[1], unit=args.unit, expression=args.expression,
        inputs=dict(_input(conn, text) for text in args.input), triggers=args.trigger,
        max_age=_span(args.max_age, "--max-age"), label=args.label,
    )  # fmt: skip


def _input(conn: Connection, text: str) -> tuple[str, int]:
    name, _, place = text.partition("=")
    if place.isdecimal():
        return name, int(place)
    thing, _, property = place.rpartition(":")
    for one in registry.list_datastreams(conn, thing_id=registry.get_thing(conn, thing).id):
        if one.property == property:
            return name, one.id
    raise NotFoundError(f"{text!r}: {thing!r} has no Datastream of {property!r}")


def _span(text: str, option: str) -> int:
    found = duration(text)
    if found is None or found < SECOND:
        raise SettingsError(f"{option}: {text!r} is no time such as 90s, 10min, 1h, 2d")
    return found
