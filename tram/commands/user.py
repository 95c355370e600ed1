"""`tram user`: people and their roles, from the server."""

import argparse
import getpass
import sys

from tram.commands._identity import Desk, desk
from tram.errors import NotFoundError
from tram.identity import hashing, passwords
from tram.identity.claims import parse_grant
from tram.identity.principal import Grant
from tram.identity.roles import GRANTABLE
from tram.settings import Settings
from tram.store import access_tokens, factors, people, sessions

HELP = "people: add, list, passwd, disable, enable, roles, no-code"
OPERATION = "server.people"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with whom."""
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    add = what.add_parser("add", help="add somebody; prints a first password, to be changed at the first sign-in")
    add.add_argument("login")
    add.add_argument("--name", default="", help="full name")
    told = f"of {', '.join(sorted(GRANTABLE))}; may be given several times"
    add.add_argument("--role", action="append", default=[], metavar="ROLE[:area=…|:facility=…]", help=told)
    add.add_argument("--email", default="")
    listed = what.add_parser("list", help="everybody and their roles")
    listed.add_argument("search", nargs="?", default="")
    passwd = what.add_parser("passwd", help="set a new password; signs them out everywhere")
    passwd.add_argument("login")
    passwd.add_argument(
        "--ask", action="store_true", help="type it (it need not be changed then), instead of a random one"
    )
    for name, text in (
        ("disable", "let somebody in no more, at once"),
        ("enable", "let them in again"),
        ("no-code", "remove a lost second factor"),
    ):
        what.add_parser(name, help=text).add_argument("login")
    roles = what.add_parser("roles", help="show, give and take roles")
    roles.add_argument("login")
    roles.add_argument("--give", action="append", default=[], metavar="ROLE[:area=…|:facility=…]")
    roles.add_argument("--take", action="append", default=[], type=int, metavar="NUMBER")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    with desk(settings, OPERATION) as at:
        return {
            "add": _add, "list": _list, "passwd": _passwd, "disable": _disable, "enable": _enable, "no-code": _no_code,
            "roles": _roles,
        }[args.what](at, args)  # fmt: skip


def _add(at: Desk, args: argparse.Namespace) -> int:
    given = [parse_grant(text) for text in args.role]
    password = passwords.new_password()
    hash = hashing.hashed(password)
    id = people.add(at.conn, args.login, name=args.name, email=args.email, password=hash, must_change=True)
    for grant in given:
        people.grant(at.conn, id, grant, by=at.actor.id)
        at.event("role.granted", people.principal_id(id), {"role": str(grant.role)})
    at.event("account.added", people.principal_id(id))
    at.note(people.principal_id(id), {"added": people.normal_login(args.login), "roles": args.role})
    print(f"{people.normal_login(args.login)}  {password}")
    print("shown once; it must be changed at the first sign-in", file=sys.stderr)
    return 0


def _list(at: Desk, args: argparse.Namespace) -> int:
    after = ""
    while True:
        rows = people.listed(at.conn, search=args.search, after=after)
        given = people.grants_of(at.conn, [row.id for row in rows])
        for row in rows:
            marks = [
                text for text, on in (("disabled", row.disabled), ("demo", row.demo), ("code", row.second_factor)) if on
            ]
            roles = "; ".join(written(grant) for grant in given[row.id]) or "-"
            seen = row.seen.isoformat(timespec="minutes") if row.seen else "never"
            print(f"{row.login:<24} {row.name:<28} {roles}  seen {seen}{'  ' if marks else ''}{' '.join(marks)}")
        if len(rows) < 100:
            return 0
        after = rows[-1].login


def _passwd(at: Desk, args: argparse.Namespace) -> int:
    account = people.by_login(at.conn, args.login)
    password = passwords.new_password()
    if args.ask:
        password = getpass.getpass("new password: ")
        why = passwords.fault(password, [account.login, account.name, account.email])
        if why is not None:
            print(f"tram: {passwords.MESSAGES[why][1]}", file=sys.stderr)
            return 2
    people.set_password(at.conn, account.id, hashing.hashed(password), must_change=not args.ask)
    sessions.close_all(at.conn, account.id)
    factors.forgive(at.conn, [f"login:{account.login}"])
    at.event("password.reset", account.principal_id)
    at.note(account.principal_id, {"change": "password reset"})
    if not args.ask:
        print(f"{account.login}  {password}")
        print("shown once; it must be changed at the first sign-in", file=sys.stderr)
    return 0


def _disable(at: Desk, args: argparse.Namespace) -> int:
    account = people.by_login(at.conn, args.login)
    people.set_disabled(at.conn, account.id, True)
    sessions.close_all(at.conn, account.id)
    access_tokens.revoke_all(at.conn, account.id)
    at.event("account.disabled", account.principal_id)
    at.note(account.principal_id, {"change": "disabled"})
    return 0


def _enable(at: Desk, args: argparse.Namespace) -> int:
    account = people.by_login(at.conn, args.login)
    people.set_disabled(at.conn, account.id, False)
    at.note(account.principal_id, {"change": "enabled"})
    return 0


def _no_code(at: Desk, args: argparse.Namespace) -> int:
    account = people.by_login(at.conn, args.login)
    factors.remove(at.conn, account.id)
    sessions.close_all(at.conn, account.id)
    at.event("second-factor.removed", account.principal_id)
    at.note(account.principal_id, {"change": "second factor removed"})
    return 0


def _roles(at: Desk, args: argparse.Namespace) -> int:
    account = people.by_login(at.conn, args.login)
    for text in args.give:
        people.grant(at.conn, account.id, parse_grant(text), by=at.actor.id)
        at.event("role.granted", account.principal_id, {"role": text})
    for number in args.take:
        owner, grant = people.get_grant(at.conn, number)
        if owner != account.id:
            raise NotFoundError(f"{number} is no role of {account.login}")
        people.take(at.conn, number)
        at.event("role.taken", account.principal_id, {"role": str(grant.role)})
    for row in people.grants(at.conn, account.id):
        print(f"{row.id:>6}  {written(row.grant):<40} by {row.granted_by} {row.granted.isoformat(timespec='minutes')}")
    if args.give or args.take:
        at.note(account.principal_id, {"given": args.give, "taken": args.take})
    return 0


def written(grant: Grant) -> str:
    """A grant as it is typed: `operator:area=05860`."""
    if grant.scope.facilities is not None:
        return f"{grant.role}:facility={','.join(sorted(grant.scope.facilities))}"
    if grant.scope.areas is not None:
        return f"{grant.role}:area={','.join(sorted(grant.scope.areas))}"
    return str(grant.role)
