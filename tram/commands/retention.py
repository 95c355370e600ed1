"""`tram retention`: how long data is kept, and what would go."""

import argparse

from tram.commands._noting import note
from tram.embedded.addresses import DATABASE, resolve
from tram.errors import SettingsError
from tram.settings import Settings
from tram.store import retention
from tram.store.database import connect

HELP = "show or set how long data is kept; --dry-run shows what would go"
DESCRIPTION = "Without arguments: the policies. The worker removes what is older, by ObservedProperty and level."
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to show or set."""
    parser.add_argument("--dry-run", action="store_true", help="count what the policies would remove now")
    parser.add_argument(
        "--set", nargs=3, action="append", metavar=("PROPERTY", "LEVEL", "DAYS"), default=[],
        help="keep a property's level so many days, or `forever`; the property `*` is all without their own",
    )  # fmt: skip


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    settings = resolve(settings, needs=(DATABASE,))
    with connect(settings, "retention") as conn:
        policies = [_policy(*given) for given in args.set]
        retention.put(conn, policies)
        for policy in policies:
            kept = {"level": policy.level, "days": policy.keep_days or "forever"}
            note(conn, OPERATION, f"retention {policy.property or '*'}", kept)
        if args.dry_run:
            conn.execute("SET LOCAL statement_timeout = 0")
            for row in retention.doomed(conn, settings.utc_offset):
                print(f"{row.property}\t{row.level}\t{row.rows} rows from {row.oldest} to {row.cut}")
            return 0
        for policy in retention.list_policies(conn):
            print(f"{policy.property or '*'}\t{policy.level}\t{policy.keep_days or 'forever'}")
    return 0


def _policy(property: str, level: str, days: str) -> retention.Policy:
    if days != "forever" and not days.isdecimal():
        raise SettingsError(f"{days!r} is neither a number of days nor `forever`")
    return retention.Policy("" if property == "*" else property, level, None if days == "forever" else int(days))
