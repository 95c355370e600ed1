"""Accounts and their roles. Passwords come in as argon2id hashes (tram.identity.passwords), never as they were typed.

Nothing here commits, and nothing here decides: whoever calls has asked `tram.identity.decide` and writes the audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from tram.errors import ConflictError, NotFoundError, TramError
from tram.identity.principal import Grant
from tram.identity.roles import Role
from tram.identity.scope import AreaTree, Scope
from tram.store import sqlfile
from tram.store.database import Connection, available

LOCAL = "local"
"""`source` of a grant that was given here, not by an identity provider's claims."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account. `password` is the hash, None where they sign in at the identity provider only."""

    id: int
    login: str
    name: str
    email: str
    language: str
    password: str | None
    must_change: bool
    second_factor: bool
    demo: bool
    disabled: datetime | None
    created: datetime
    seen: datetime | None

    @property
    def principal_id(self) -> str:
        """What audits and targets call this person."""
        return principal_id(self.id)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as it is stored: who gave it, when, and who is in charge of it (`local` or an issuer)."""

    id: int
    grant: Grant
    source: str
    granted_by: str
    granted: datetime


class PeopleError(TramError):
    """An account cannot be as asked."""

    code = "invalid"


def principal_id(account: int) -> str:
    """`p:12`."""
    return f"p:{account}"


def normal_login(login: str) -> str:
    """Sign-in names are lower case and without spaces around."""
    return login.strip().lower()


def add(
    conn: Connection, login: str, *, name: str, password: str | None, email: str = "", language: str = "vi",
    must_change: bool = False, demo: bool = False,
) -> int:  # fmt: skip
    """A new account; returns its id.

    Raises:
        ConflictError: there is one of this name.
        PeopleError: the name, e-mail address or language does not fit.
    """
    values = {
        "login": normal_login(login), "name": name.strip() or login, "email": email.strip(), "language": language,
        "password": password, "must_change": must_change, "demo": demo,
    }  # fmt: skip
    try:
        with available(), conn.transaction():
            row = conn.execute(sqlfile.load("people")["add"], values).fetchone()
    except (psycopg.errors.CheckViolation, psycopg.DataError):
        raise PeopleError(
            "a sign-in name has 2 to 64 letters a-z, digits, . _ @ - and begins with a letter or digit"
        ) from None
    if row is None:
        raise ConflictError(f"there is an account {values['login']} already")
    return int(row[0])


def get(conn: Connection, id: int) -> Account:
    """Raises NotFoundError."""
    return _one(conn, "get", {"id": id}, f"there is no account {id}")


def by_login(conn: Connection, login: str) -> Account:
    """Raises NotFoundError."""
    name = normal_login(login)
    return _one(conn, "by_login", {"login": name}, f"there is no account {name[:64]}")


def by_identity(conn: Connection, issuer: str, subject: str) -> Account | None:
    """The account of somebody at an identity provider."""
    with available():
        row = conn.execute(sqlfile.load("people")["by_identity"], {"issuer": issuer, "subject": subject}).fetchone()
    return None if row is None else get(conn, int(row[0]))


def link(conn: Connection, account: int, issuer: str, subject: str) -> None:
    """From now on this somebody at the provider is this account."""
    with available():
        conn.execute(sqlfile.load("people")["link"], {"issuer": issuer, "subject": subject, "account": account})


def listed(
    conn: Connection, *, after: str = "", search: str = "", areas: Sequence[str] | None = None,
    facilities: Sequence[str] | None = None, limit: int = 100,
) -> list[Account]:  # fmt: skip
    """By sign-in name. With areas or facilities: only those who have a grant in one of them."""
    pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    values = {
        "after": after, "search": search, "pattern": pattern, "limit": limit,
        "areas": None if areas is None else list(areas), "facilities": None if facilities is None else list(facilities),
    }  # fmt: skip
    with available():
        return [Account(*row) for row in conn.execute(sqlfile.load("people")["list"], values)]


def set_password(conn: Connection, id: int, password: str, *, must_change: bool = False) -> None:
    """Stores a hash. The caller ends the sessions."""
    _run(conn, "set_password", {"id": id, "password": password, "must_change": must_change})


def rehash(conn: Connection, id: int, before: str, password: str) -> None:
    """The same password under newer parameters."""
    _run(conn, "rehash", {"id": id, "before": before, "password": password})


def describe(conn: Connection, id: int, *, name: str, email: str, language: str) -> None:
    """Raises PeopleError: something does not fit."""
    try:
        with conn.transaction():
            _run(conn, "describe", {"id": id, "name": name.strip(), "email": email.strip(), "language": language})
    except (psycopg.errors.CheckViolation, psycopg.DataError):
        raise PeopleError("the name, e-mail address or language does not fit") from None


def set_disabled(conn: Connection, id: int, disabled: bool) -> None:
    """A disabled account signs in no more; its sessions and tokens are refused at once. Raises NotFoundError."""
    with available():
        if conn.execute(sqlfile.load("people")["set_disabled"], {"id": id, "disabled": disabled}).fetchone() is None:
            raise NotFoundError(f"there is no account {id}")


def signed_in(conn: Connection, id: int, now: float) -> None:
    """Notes the last sign-in."""
    _run(conn, "signed_in", {"id": id, "now": now})


def demo_people(conn: Connection) -> int:
    """How many demo accounts could sign in."""
    with available():
        row = conn.execute(sqlfile.load("people")["demo_people"]).fetchone()
    return int(row[0]) if row else 0


def anybody(conn: Connection) -> bool:
    """Whether there is any account yet."""
    with available():
        row = conn.execute(sqlfile.load("people")["anybody"]).fetchone()
    return bool(row and row[0])


def grants(conn: Connection, account: int) -> list[GrantRow]:
    """What somebody was given, expired ones too, oldest first."""
    with available():
        rows = conn.execute(sqlfile.load("people")["grants"], {"account": account}).fetchall()
    return [
        GrantRow(id, grant_of(role, areas, facilities, expires and expires.timestamp()), source, by, granted)
        for id, role, areas, facilities, source, by, granted, expires in rows
    ]


def grants_of(conn: Connection, accounts: Sequence[int]) -> dict[int, list[Grant]]:
    """The grants of several accounts, for a list of people."""
    found: dict[int, list[Grant]] = {id: [] for id in accounts}
    with available():
        for account, role, areas, facilities in conn.execute(
            sqlfile.load("people")["grants_of_many"], {"accounts": list(accounts)}
        ):
            found[account].append(grant_of(role, areas, facilities, None))
    return found


def grant(conn: Connection, account: int, given: Grant, *, by: str, source: str = LOCAL) -> int:
    """Gives a role; returns the grant's id.

    Raises:
        PeopleError: a care role without a facility, or no role that people are given.
        NotFoundError: no such account.
    """
    values = {"account": account, "by": by, "source": source, "expires": given.expires, **stored(given)}
    try:
        with available(), conn.transaction():
            row = conn.execute(sqlfile.load("people")["grant"], values).fetchone()
    except psycopg.errors.CheckViolation:
        raise PeopleError(f"{given.role} cannot be given like that: a care role needs its facility") from None
    except psycopg.errors.ForeignKeyViolation:
        raise NotFoundError(f"there is no account {account}") from None
    assert row is not None
    return int(row[0])


def get_grant(conn: Connection, id: int) -> tuple[int, Grant]:
    """(account, grant). Raises NotFoundError."""
    with available():
        row = conn.execute(sqlfile.load("people")["get_grant"], {"id": id}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no grant {id}")
    return int(row[0]), grant_of(row[1], row[2], row[3], None)


def take(conn: Connection, id: int) -> int:
    """Takes a role away; returns whose it was. Raises NotFoundError."""
    with available():
        row = conn.execute(sqlfile.load("people")["take"], {"id": id}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no grant {id}")
    return int(row[0])


def set_from_claims(conn: Connection, account: int, issuer: str, given: Sequence[Grant]) -> bool:
    """Makes the grants of this issuer exactly these; returns whether that changed anything. Local ones stay."""
    before = {row.grant for row in grants(conn, account) if row.source == issuer}
    if before == set(given):
        return False
    _run(conn, "take_all_of", {"account": account, "source": issuer})
    for one in given:
        grant(conn, account, one, by=issuer, source=issuer)
    return True


def area_tree(conn: Connection) -> AreaTree:
    """The tree of areas as it is now."""
    with available():
        return AreaTree(dict(conn.execute(sqlfile.load("people")["area_parents"]).fetchall()))


def grant_of(role: str, areas: list[str] | None, facilities: list[str] | None, expires: float | None) -> Grant:
    """A grant from its columns."""
    scope = Scope(None if areas is None else frozenset(areas), None if facilities is None else frozenset(facilities))
    return Grant(Role(role), scope, expires)


def stored(given: Grant) -> dict[str, Any]:
    """A grant's columns."""
    scope = given.scope
    return {
        "role": given.role.value,
        "areas": None if scope.areas is None else sorted(scope.areas),
        "facilities": None if scope.facilities is None else sorted(scope.facilities),
    }


def _one(conn: Connection, query: str, values: dict[str, Any], missing: str) -> Account:
    with available():
        row = conn.execute(sqlfile.load("people")[query], values).fetchone()
    if row is None:
        raise NotFoundError(missing)
    return Account(*row)


def _run(conn: Connection, query: str, values: dict[str, Any]) -> None:
    with available():
        conn.execute(sqlfile.load("people")[query], values)
