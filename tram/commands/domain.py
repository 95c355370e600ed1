"""`tram domain recompute`."""

import argparse

from tram.commands._noting import note
from tram.commands._plane import become
from tram.embedded.addresses import DATABASE, resolve
from tram.settings import Settings
from tram.store.database import connect

HELP = "compute the past of a city service again"
DESCRIPTION = (
    "After a formula or a configuration changed, or where a service came after its data: "
    "tram domain recompute air --from 2026-10-01 --to 2026-11-01. What is the same stays untouched."
)
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which service, and from when to when."""
    parser.add_argument("action", choices=("recompute",))
    parser.add_argument("service", help="air, rivers, traffic, noise, …: a folder of services/domains")
    parser.add_argument("--from", dest="start", required=True, help="a day of the province, or a time in RFC 3339")
    parser.add_argument("--to", dest="end", default="", help="the same; the present without it")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Notes it in the audit and becomes the process that computes."""
    with connect(resolve(settings, needs=(DATABASE,)), "domain") as conn:
        note(conn, OPERATION, f"domain recompute {args.service}", {"from": args.start, "to": args.end or None})
    until = ["--to", args.end] if args.end else []
    become("services.city.recompute", [args.service, "--from", args.start, *until])
