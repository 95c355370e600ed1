"""`tram device`: devices' credentials for the broker."""

import argparse
import sys

from tram.commands._identity import desk
from tram.settings import Settings
from tram.store import credentials

HELP = "device credentials: issue, rotate, revoke, claim-code, list"
OPERATION = "devices.manage"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which."""
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    issue = what.add_parser("issue", help="one more credential; prints MQTT user and password, once")
    issue.add_argument("thing")
    issue.add_argument(
        "--topic", action="append", default=None, help="topic filter of a foreign convention that is its own too"
    )
    rotate = what.add_parser("rotate", help="a new credential; the old ones stay good for a while")
    rotate.add_argument("thing")
    rotate.add_argument("--overlap-days", type=float, default=7.0)
    what.add_parser("revoke", help="all of a device's, at once").add_argument("thing")
    what.add_parser("claim-code", help="a code to turn into a credential, once, within a month").add_argument("thing")
    what.add_parser("list", help="what there is").add_argument("thing", nargs="?", default="")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    with desk(settings, OPERATION) as at:
        if args.what == "list":
            for row in credentials.listed(at.conn, args.thing):
                state = (
                    "revoked"
                    if row.revoked
                    else "in force"
                    if not row.expires
                    else f"until {row.expires:%Y-%m-%d %H:%M}"
                )
                print(f"{row.thing:<32} {row.number:>3}  {state}  by {row.created_by}")
            return 0
        subject = f"d:{args.thing}"
        if args.what == "revoke":
            numbers = credentials.revoke(at.conn, args.thing)
            at.event("device.revoked", subject, {"numbers": numbers})
            at.note(args.thing, {"revoked": numbers})
            return 0
        if args.what == "claim-code":
            code = credentials.new_claim(at.conn, args.thing, at.ring, by=at.actor.id, now=at.now)
            at.note(args.thing, {"claim code": True})
            print(code)
            return 0
        if args.what == "issue":
            issued = credentials.issue(at.conn, args.thing, by=at.actor.id, topics=args.topic)
        else:
            overlap = args.overlap_days * 86_400
            issued = credentials.rotate(at.conn, args.thing, by=at.actor.id, now=at.now, overlap=overlap)
        at.event("device.credential", subject, {"number": issued.number})
        at.note(args.thing, {"issued": issued.number})
        print(f"{issued.user}  {issued.password}")
        print("shown once", file=sys.stderr)
    return 0
