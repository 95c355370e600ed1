"""`tram keys`: the keys that sign short-lived tokens."""

import argparse

from tram.commands._identity import desk
from tram.settings import Settings
from tram.store import keys

HELP = "signing keys: list, rotate"
OPERATION = "server.keys"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    what.add_parser("list", help="the keys that verify now")
    rotate = what.add_parser("rotate", help="make the next key if it is time")
    rotate.add_argument("--leaked", action="store_true", help="void all keys at once and make a new one")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    with desk(settings, OPERATION) as at:
        if args.what == "rotate":
            stopped = keys.stop(at.conn, at.now) if args.leaked else 0
            made = keys.rotate(at.conn, at.ring, at.now)
            if made or stopped:
                at.event("key.rotated", "keys", {"stopped": stopped})
                at.note("keys", {"stopped": stopped, "made": made})
            print("a new key was made" if made else "the newest key is still good for more than a day")
            return 0
        for key in keys.load(at.conn, None, at.now):
            state = (
                "signs"
                if key.signs_from <= at.now < key.signs_until
                else "next"
                if key.signs_from > at.now
                else "verifies"
            )
            print(f"{key.kid}  {state}")
    return 0
