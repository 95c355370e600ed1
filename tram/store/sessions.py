"""Browser sessions: opened by a sign-in, found by the cookie's hash, ended by idling, by age, or by somebody.

Nothing here commits. `now` is handed in, seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tram.errors import NotFoundError
from tram.identity.principal import Grant, Kind, Principal
from tram.identity.roles import SECOND_FACTOR
from tram.identity.secrets import fingerprint, new_session_secret
from tram.store import sqlfile
from tram.store.database import Connection, available
from tram.store.people import grant_of, principal_id

CHANNEL = "tram_identity"
"""NOTIFY channel: `account:12`, `token:3` or `device:air-07` changed; forget what is remembered of it."""

HALF_LASTS = 300.0
"""Seconds that a sign-in waits for its second factor."""
MOST = 50
"""Sessions kept of one account; then its oldest go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session in force, and who it is.

    Attributes:
        complete: False while the second factor is still to come: it is nobody's yet.
        restricted: why the principal has no roles for now: `must-change` (a password somebody else set), `must-enrol`
            (a role that needs a second factor, and none there); None: nothing is missing.
        seen, ends: seconds since 1970.
        issuer: of the identity provider it was opened at.
    """

    id: int
    account: int
    complete: bool
    name: str
    login: str
    language: str
    second_factor: bool
    has_second_factor: bool
    stepped_up: float | None
    seen: float
    ends: float
    issuer: str | None
    grants: tuple[Grant, ...]
    restricted: str | None

    @property
    def principal(self) -> Principal:
        """Who asks in this session; without roles while something is missing."""
        grants = () if self.restricted else self.grants
        return Principal(
            Kind.PERSON, principal_id(self.account), self.login, grants,
            stepped_up=self.stepped_up, second_factor=self.second_factor,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session for its owner to look at."""

    id: int
    complete: bool
    second_factor: bool
    opened: datetime
    seen: datetime
    ends: datetime
    address: str
    agent: str
    issuer: str | None


def open_session(
    conn: Connection, account: int, *, now: float, lifetime: float, address: str, agent: str, complete: bool,
    issuer: str | None = None, provider_sid: str | None = None, id_token: bytes | None = None,
    second_factor: bool = False,
) -> str:  # fmt: skip
    """A new session; returns the secret for the cookie. One that is not complete lasts HALF_LASTS seconds."""
    secret = new_session_secret()
    values = {
        "hash": fingerprint(secret), "account": account, "complete": complete, "now": now, "address": address[:100],
        "second_factor": second_factor, "ends": now + (lifetime if complete else HALF_LASTS), "agent": agent[:200],
        "stepped_up": now if complete else None, "issuer": issuer, "provider_sid": provider_sid, "id_token": id_token,
    }  # fmt: skip
    with available():
        conn.execute(sqlfile.load("sessions")["open"], values)
    return secret


def find(conn: Connection, secret: str, *, now: float, idle: float, factor_required: bool) -> Session | None:
    """The session of a cookie, if it is in force and its account is.

    Args:
        idle: seconds after which an unused session is over.
        factor_required: whether roles.SECOND_FACTOR need one (setting totp_required).
    """
    with available():
        values = {"hash": fingerprint(secret), "now": now, "idle": idle}
        row = conn.execute(sqlfile.load("sessions")["find"], values).fetchone()
    if row is None:
        return None
    (id, account, complete, second_factor, stepped_up, seen, ends, issuer, login, name, language, must_change,
     has_factor, given) = row  # fmt: skip
    grants = grants_of_json(given)
    restricted = None
    if must_change:
        restricted = "must-change"
    elif factor_required and issuer is None and not has_factor and any(g.role in SECOND_FACTOR for g in grants):
        restricted = "must-enrol"  # who signed in at the provider is the provider's to check
    return Session(
        id=id, account=account, complete=complete, name=name, login=login, language=language,
        second_factor=second_factor, has_second_factor=has_factor, stepped_up=stepped_up, seen=seen, ends=ends,
        issuer=issuer, grants=grants, restricted=restricted,
    )  # fmt: skip


def grants_of_json(given: list[Mapping[str, Any]]) -> tuple[Grant, ...]:
    """Grants from the JSON that the queries aggregate."""
    return tuple(grant_of(g["role"], g["areas"], g["facilities"], g["expires"]) for g in given)


def touch(conn: Connection, id: int, now: float) -> None:
    """It was used. Call it now and then (a minute), not with every request."""
    _run(conn, "touch", {"id": id, "now": now})


def complete(conn: Connection, id: int, *, now: float, lifetime: float) -> str:
    """The second factor was given: the session counts, under a new secret. Raises NotFoundError: it is over."""
    return _renewed(conn, "complete", {"id": id, "now": now, "ends": now + lifetime})


def step_up(conn: Connection, id: int, *, now: float) -> str:
    """The person proved again who they are; returns the cookie's new secret. Raises NotFoundError."""
    return _renewed(conn, "step_up", {"id": id, "now": now})


def id_token(conn: Connection, id: int) -> tuple[str, bytes] | None:
    """(issuer, sealed id token) of a session that was opened at an identity provider."""
    with available():
        row = conn.execute(sqlfile.load("sessions")["id_token"], {"id": id}).fetchone()
    return None if row is None or row[0] is None or row[1] is None else (row[0], bytes(row[1]))


def close(conn: Connection, id: int) -> None:
    """Ends a session; ending one that is gone changes nothing."""
    _run(conn, "close", {"id": id})


def close_own(conn: Connection, account: int, id: int) -> None:
    """Ends a session of this account. Raises NotFoundError: it is not one."""
    with available():
        if conn.execute(sqlfile.load("sessions")["close_own"], {"id": id, "account": account}).fetchone() is None:
            raise NotFoundError("there is no such session of yours")


def close_all(conn: Connection, account: int, *, keep: int = 0) -> int:
    """Signs out everywhere (but the session `keep`); returns how many ended."""
    with available():
        return conn.execute(sqlfile.load("sessions")["close_all"], {"account": account, "except": keep}).rowcount


def close_provider(conn: Connection, issuer: str, *, sid: str | None, subject: str | None) -> int:
    """Ends what the identity provider says is over: one session by its sid, or all of a subject. Returns how many."""
    with available():
        values = {"issuer": issuer, "sid": sid, "subject": subject}
        return conn.execute(sqlfile.load("sessions")["close_provider"], values).rowcount


def listed(conn: Connection, account: int, *, now: float, idle: float) -> list[SessionRow]:
    """The account's sessions in force, last used first, at most 100."""
    with available():
        values = {"account": account, "now": now, "idle": idle}
        return [SessionRow(*row) for row in conn.execute(sqlfile.load("sessions")["list"], values)]


def familiar(conn: Connection, account: int, address: str, agent: str) -> bool:
    """Whether the account was seen from this address and browser (or never at all)."""
    with available():
        values = {"account": account, "address": address[:100], "agent": agent[:200]}
        row = conn.execute(sqlfile.load("sessions")["familiar"], values).fetchone()
    return bool(row and row[0])


def sweep(conn: Connection, *, now: float, idle: float) -> int:
    """Deletes what is over; returns how many. The worker calls it."""
    with available():
        values = {"now": now, "idle": idle, "most": MOST}
        return conn.execute(sqlfile.load("sessions")["sweep"], values).rowcount


def _renewed(conn: Connection, query: str, values: dict[str, Any]) -> str:
    secret = new_session_secret()
    with available():
        row = conn.execute(sqlfile.load("sessions")[query], {**values, "hash": fingerprint(secret)}).fetchone()
    if row is None:
        raise NotFoundError("the session is over: sign in again")
    return secret


def _run(conn: Connection, query: str, values: dict[str, Any]) -> None:
    with available():
        conn.execute(sqlfile.load("sessions")[query], values)
