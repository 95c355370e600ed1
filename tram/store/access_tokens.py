"""Personal access tokens: what programs send as `Authorization: Bearer tram_pat_…`. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from tram.errors import NotFoundError, TramError
from tram.identity.principal import Grant, Kind, Limit, Principal
from tram.identity.roles import CARE, Role
from tram.identity.scope import Scope
from tram.identity.secrets import fingerprint, is_personal_token, new_personal_token
from tram.store import sqlfile
from tram.store.database import Connection, available
from tram.store.people import grant_of, stored
from tram.store.sessions import grants_of_json

LONGEST = 366 * 86_400.0
MOST = 20
"""Tokens in force of one account."""


class TokenLimitError(TramError):
    """Too many tokens, or one that would live too long."""

    code = "invalid"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for people to look at; its secret is shown once, when it is made."""

    id: int
    label: str
    login: str | None
    role: str
    areas: Sequence[str] | None
    facilities: Sequence[str] | None
    created_by: str
    created: datetime
    expires: datetime
    seen: datetime | None
    revoked: datetime | None


def make(
    conn: Connection, label: str, given: Grant, *, account: int | None, by: str, now: float, lifetime: float
) -> tuple[int, str]:
    """A new token; returns (id, secret). The secret is not stored and cannot be had again.

    Args:
        given: the role it acts as, and where.
        account: whose rights it has, narrowed to `given`; None: `given` are its own rights (made on the server).
        by: the principal's id that made it.
        lifetime: seconds, at most LONGEST.

    Raises:
        TokenLimitError: too many, too long, or a care role without a facility.
    """
    if not 0 < lifetime <= LONGEST:
        raise TokenLimitError("a token lives at most a year")
    secret = new_personal_token()
    values = {
        "hash": fingerprint(secret), "label": label.strip(), "account": account, "by": by, "expires": now + lifetime,
        **stored(given),
    }  # fmt: skip
    queries = sqlfile.load("sessions")
    with available():
        if account is not None:
            row = conn.execute(queries["tokens_in_force"], {"account": account}).fetchone()
            if row is not None and row[0] >= MOST:
                raise TokenLimitError(f"you have {MOST} tokens in force: revoke one first")
        try:
            with conn.transaction():
                row = conn.execute(queries["token_make"], values).fetchone()
        except psycopg.errors.CheckViolation:
            raise TokenLimitError("a token needs a name of at most 100 letters, and a care role its facility") from None
    assert row is not None
    return int(row[0]), secret


def find(conn: Connection, secret: str, *, now: float) -> tuple[Principal, float, int | None] | None:
    """(who sends this token, until when it is good, whose account's it is), if it is in force."""
    if not is_personal_token(secret):
        return None
    with available():
        values = {"hash": fingerprint(secret), "now": now}
        row = conn.execute(sqlfile.load("sessions")["token_find"], values).fetchone()
    if row is None:
        return None
    id, label, account, role, areas, facilities, expires, login, given = row
    own = grant_of(role, areas, facilities, expires)
    name = label if login is None else f"{login}/{label}"
    if account is None:
        return Principal(Kind.TOKEN, f"t:{id}", name, (own,)), expires, None
    # The person's rights of now, so that a role taken from them is taken from their tokens too.
    limit = Limit(roles=frozenset({own.role, Role.CITIZEN}), scope=_place(own))
    return Principal(Kind.TOKEN, f"t:{id}", name, grants_of_json(given), (limit,)), expires, account


def _place(own: Grant) -> Scope:
    """A city role is narrowed to areas, a care role to facilities."""
    return Scope(facilities=own.scope.facilities) if own.role in CARE else Scope(areas=own.scope.areas)


def touch(conn: Connection, id: int, now: float) -> None:
    """It was used. Now and then, not with every request."""
    with available():
        conn.execute(sqlfile.load("sessions")["token_touch"], {"id": id, "now": now})


def listed(conn: Connection, account: int | None = None, *, limit: int = 500) -> list[AccessToken]:
    """Newest first, revoked ones too; of one account, or of all."""
    with available():
        rows = conn.execute(sqlfile.load("sessions")["token_list"], {"account": account, "limit": limit}).fetchall()
    return [AccessToken(*row) for row in rows]


def revoke(conn: Connection, id: int, *, account: int | None = None) -> str:
    """Revokes a token (of this account); returns its label. Raises NotFoundError: there is none in force."""
    with available():
        row = conn.execute(sqlfile.load("sessions")["token_revoke"], {"id": id, "account": account}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no token {id} in force")
    return str(row[0])


def revoke_all(conn: Connection, account: int) -> int:
    """Revokes all of an account's; returns how many."""
    with available():
        return conn.execute(sqlfile.load("sessions")["tokens_of_account_revoke"], {"account": account}).rowcount


def role_of(text: str) -> Role:
    """A role by its name. Raises TokenLimitError."""
    try:
        role = Role(text)
    except ValueError:
        role = Role.MACHINE
    if role in (Role.MACHINE, Role.DEVICE):
        raise TokenLimitError(f"{text} is no role of a token")
    return role
