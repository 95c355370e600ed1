"""Signing in, step by step: password, then a code where there is one; both behind the backoff of tram.identity.lockout.

    name + password -> session, or half a session that waits for its code -> session (under a new secret)

Each step is one transaction that commits whatever the answer is: a failure that was not counted would be a free try.
"""

import threading
from dataclasses import dataclass

from services.deps import State
from tram.errors import NotFoundError
from tram.identity import hashing, lockout
from tram.identity.principal import Kind, Principal
from tram.store import audit, events, factors, people, sessions
from tram.store.database import Connection, available
from tram.store.people import Account
from tram.store.sessions import Session

ONE_AT_A_TIME = threading.BoundedSemaphore(2)
"""Password hashes computed at once: each holds 46 MiB and a core."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a step ended.

    Attributes:
        step: `done`, `code` (the second factor is to come), `wrong`, `wait`.
        secret: for the cookie, with `done` and `code`.
        left: tries before the next wait; `seconds`: until the next try may be made.
    """

    step: str
    secret: str | None = None
    left: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a sign-in comes from."""

    address: str
    agent: str
    now: float

    @property
    def micros(self) -> int:
        return int(self.now * 1e6)


def person(account: Account) -> Principal:
    """The account as an actor of the audit, before there is a session."""
    return Principal(Kind.PERSON, account.principal_id, account.login)


def with_password(state: State, login: str, password: str, visitor: Visitor) -> Answer:
    """The first step."""
    name = people.normal_login(login)[:64]
    tries = {f"login:{name}": lockout.ACCOUNT, f"address:{visitor.address}": lockout.ADDRESS}
    with available(), state.pool.connection() as conn:
        seconds = factors.wait(conn, tries, visitor.now)
        if seconds:
            events.security(conn, "sign-in.locked", at=visitor.micros, subject=name, origin=visitor.address)
            return Answer("wait", left=0, seconds=seconds)
        try:
            account = people.by_login(conn, name)
        except NotFoundError:
            account = None
    # Outside the transaction: hashing takes long, and must take as long for a name that does not exist.
    with ONE_AT_A_TIME:
        right = hashing.fits(password, account.password if account else None)
    with available(), state.pool.connection() as conn:
        if account is None or not right or account.disabled is not None or _demo_refused(state, account):
            left, seconds = factors.failed(conn, tries, visitor.now)
            events.security(conn, "sign-in.failed", at=visitor.micros, subject=name, origin=visitor.address)
            return Answer("wrong", left=left, seconds=seconds)
        if account.password is not None and hashing.outdated(account.password):
            people.rehash(conn, account.id, account.password, hashing.hashed(password))
        if account.second_factor:
            # The failures stand until the code was right too: a known password must not reset the count.
            secret = _opened(state, conn, account, visitor, complete=False)
            return Answer("code", secret)
        factors.forgive(conn, [f"login:{name}"])
        return Answer("done", _welcomed(state, conn, account, visitor))


def with_code(state: State, session: Session, code: str, visitor: Visitor) -> Answer:
    """The second step: a one-time code, or a recovery code."""
    tries = {f"code:{session.account}": lockout.SECOND_FACTOR, f"address:{visitor.address}": lockout.ADDRESS}
    with available(), state.pool.connection() as conn:
        seconds = factors.wait(conn, tries, visitor.now)
        if seconds:
            return Answer("wait", left=0, seconds=seconds)
        account = people.get(conn, session.account)
        if not _code_fits(state, conn, account, code, visitor):
            left, seconds = factors.failed(conn, tries, visitor.now)
            events.security(
                conn, "sign-in.failed", at=visitor.micros, subject=account.login, origin=visitor.address,
                detail={"step": "code"},
            )  # fmt: skip
            return Answer("wrong", left=left, seconds=seconds)
        factors.forgive(conn, [f"code:{account.id}", f"login:{account.login}"])
        secret = sessions.complete(conn, session.id, now=visitor.now, lifetime=state.settings.session_lifetime)
        _noted(conn, account, visitor, "password+code", familiar=True)
        return Answer("done", secret)


def prove(state: State, session: Session, password: str, code: str, visitor: Visitor) -> Answer:
    """Step-up: the one-time code where there is a second factor, else the password."""
    tries = {f"code:{session.account}": lockout.SECOND_FACTOR}
    with available(), state.pool.connection() as conn:
        seconds = factors.wait(conn, tries, visitor.now)
        if seconds:
            return Answer("wait", left=0, seconds=seconds)
        account = people.get(conn, session.account)
    with ONE_AT_A_TIME:
        right = not account.second_factor and hashing.fits(password, account.password)
    with available(), state.pool.connection() as conn:
        if account.second_factor:
            right = _code_fits(state, conn, account, code, visitor)
        if not right:
            left, seconds = factors.failed(conn, tries, visitor.now)
            events.security(
                conn, "step-up.failed", at=visitor.micros, subject=account.principal_id, origin=visitor.address
            )
            return Answer("wrong", left=left, seconds=seconds)
        factors.forgive(conn, [f"code:{account.id}"])
        secret = sessions.step_up(conn, session.id, now=visitor.now)
        audit.write(
            conn, person(account), "account.prove", at=visitor.micros, target=account.principal_id, why="own",
            origin=visitor.address,
        )  # fmt: skip
        return Answer("done", secret)


def right_password(state: State, account: Account, password: str) -> bool:
    """Whether it is the account's password; for changing it."""
    with ONE_AT_A_TIME:
        return hashing.fits(password, account.password)


def hash_password(password: str) -> str:
    """A new hash, two at a time."""
    with ONE_AT_A_TIME:
        return hashing.hashed(password)


def _demo_refused(state: State, account: Account) -> bool:
    return account.demo and state.settings.environment == "production"


def _code_fits(state: State, conn: Connection, account: Account, code: str, visitor: Visitor) -> bool:
    if factors.check(conn, account.id, state.keyring, code, visitor.now):
        return True
    if not factors.check_recovery(conn, account.id, state.keyring, code):
        return False
    left = factors.recovery_left(conn, account.id)
    events.security(
        conn, "recovery-code.used", at=visitor.micros, subject=account.principal_id, origin=visitor.address,
        detail={"left": left},
    )  # fmt: skip
    return True


def _welcomed(state: State, conn: Connection, account: Account, visitor: Visitor) -> str:
    familiar = sessions.familiar(conn, account.id, visitor.address, visitor.agent)
    secret = _opened(state, conn, account, visitor, complete=True)
    _noted(conn, account, visitor, "password", familiar=familiar)
    return secret


def _opened(state: State, conn: Connection, account: Account, visitor: Visitor, *, complete: bool) -> str:
    return sessions.open_session(
        conn, account.id, now=visitor.now, lifetime=state.settings.session_lifetime, address=visitor.address,
        agent=visitor.agent, complete=complete,
    )  # fmt: skip


def _noted(conn: Connection, account: Account, visitor: Visitor, by: str, *, familiar: bool) -> None:
    people.signed_in(conn, account.id, visitor.now)
    subject, origin, at = account.principal_id, visitor.address, visitor.micros
    events.security(conn, "sign-in.succeeded", at=at, subject=subject, origin=origin, detail={"by": by})
    if not familiar:
        events.security(conn, "session.new-origin", at=at, subject=subject, origin=origin)
    audit.write(conn, person(account), "session.open", at=at, target=subject, why=by, origin=origin)
