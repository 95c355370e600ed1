"""`tram token`: access tokens for programs, from the server."""

import argparse
import sys

from tram.commands._identity import desk
from tram.identity.claims import parse_grant
from tram.identity.principal import Grant
from tram.identity.roles import CARE, Role
from tram.settings import Settings
from tram.store import access_tokens

HELP = "access tokens for programs: create, list, revoke"
OPERATION = "server.tokens"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    create = what.add_parser("create", help="make a token; prints it, once")
    create.add_argument("--role", required=True, help="what it may do: a role, citizen too")
    create.add_argument("--area", help="where: codes of areas, with commas; without: everywhere")
    create.add_argument("--facility", help="where, for a care role: codes of facilities, with commas")
    create.add_argument("--label", default="", help="what it is for")
    create.add_argument("--days", type=int, default=90, help="how long it is good (90)")
    what.add_parser("list", help="all tokens; never their secrets")
    what.add_parser("revoke", help="let a token in no more, at once").add_argument("id", type=int)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    with desk(settings, OPERATION) as at:
        if args.what == "list":
            for row in access_tokens.listed(at.conn):
                where = ",".join([*(row.areas or []), *(row.facilities or [])]) or "everywhere"
                state = "revoked" if row.revoked else "expired" if row.expires.timestamp() <= at.now else "in force"
                owner = row.login or row.created_by
                print(
                    f"{row.id:>5}  {row.label:<24} {owner:<20} {row.role} {where}  until {row.expires.date()}  {state}"
                )
            return 0
        if args.what == "revoke":
            label = access_tokens.revoke(at.conn, args.id)
            at.event("token.revoked", f"t:{args.id}")
            at.note(f"t:{args.id}", {"revoked": label})
            return 0
        grant = _grant(args)
        id, secret = access_tokens.make(
            at.conn, args.label or f"{grant.role} from the server", grant, account=None, by=at.actor.id, now=at.now,
            lifetime=args.days * 86_400.0,
        )  # fmt: skip
        at.event("token.made", f"t:{id}", {"role": str(grant.role)})
        at.note(f"t:{id}", {"role": str(grant.role), "days": args.days})
        print(secret)
        print("shown once; send it as `Authorization: Bearer …`", file=sys.stderr)
    return 0


def _grant(args: argparse.Namespace) -> Grant:
    role = access_tokens.role_of(args.role)
    if role is Role.CITIZEN:
        return Grant(role)
    place = f":facility={args.facility}" if args.facility else f":area={args.area}" if args.area else ""
    if args.facility and role not in CARE:
        raise access_tokens.TokenLimitError(f"{role} is bound to areas: --area CODE")
    return parse_grant(f"{role}{place}")
