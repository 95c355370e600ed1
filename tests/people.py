"""People for tests: an account with a role, signed in under a known secret, and a token of the same role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argon2 import PasswordHasher

from tram.errors import ConflictError, UnavailableError
from tram.identity import Grant, Role, Scope, hashing
from tram.identity.roles import CARE
from tram.identity.secrets import fingerprint
from tram.settings import Settings
from tram.store import access_tokens, people, sessions
from tram.store.database import Connection, connect

# 1 MiB in place of 46: the same argon2id, but a suite that signs in a thousand times is no test of argon2. What
# passwords cost in earnest stands in test_secrets_of_people.py.
COST = hashing._HASHER
hashing._HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1, hash_len=32, salt_len=16)
hashing._NOBODY = hashing._HASHER.hash("nobody's")
PASSWORD = "sông Cầu chảy qua cầu Gia Bảy"
HASH = hashing.hashed(PASSWORD)
SECRET = "a-session-that-every-test-database-knows"
ADMIN = Grant(Role.CITY_ADMIN)

STATE: Any = {
    "cookies": [
        {"name": "tram_session", "value": SECRET, "domain": "127.0.0.1", "path": "/", "expires": -1, "httpOnly": True,
         "secure": False, "sameSite": "Lax"}
    ],
    "origins": [],
}  # fmt: skip
"""Playwright's storage_state of a browser that is signed in as the test's admin."""


def account(conn: Connection, login: str, *grants: Grant, password: str | None = HASH, **more: Any) -> int:
    """An account with these roles; PASSWORD opens it."""
    id = people.add(conn, login, name=login.title(), password=password, **more)
    for grant in grants:
        people.grant(conn, id, grant, by="m:test")
    return id


def session(conn: Connection, account: int, *, stepped_up: bool = True) -> str:
    """A complete session; returns the cookie's secret."""
    secret = sessions.open_session(
        conn, account, now=time.time(), lifetime=36_000, address="127.0.0.1", agent="test", complete=True
    )
    if not stepped_up:
        conn.execute("UPDATE session SET stepped_up = NULL WHERE account = %s", (account,))
    return secret


def token(conn: Connection, grant: Grant = ADMIN, label: str = "test") -> str:
    """A token with rights of its own."""
    return access_tokens.make(conn, label, grant, account=None, by="m:test", now=time.time(), lifetime=86_400)[1]


def enter(settings: Settings, grant: Grant = ADMIN) -> str | None:
    """Signs the test's admin in under SECRET and returns a token; None: the database is away or not migrated."""
    try:
        with connect(settings, "test") as conn:
            try:
                id = account(conn, "test.admin", grant)
            except ConflictError:
                id = people.by_login(conn, "test.admin").id
            session(conn, id)
            conn.execute("DELETE FROM session WHERE hash = %s", (fingerprint(SECRET),))
            conn.execute(
                "UPDATE session SET hash = %s WHERE id = (SELECT max(id) FROM session)", (fingerprint(SECRET),)
            )
            return token(conn, grant)
    except UnavailableError:
        return None


def scoped(role: str, *places: str) -> Grant:
    """A grant of a role at these areas or facilities."""
    named = Role(role)
    codes = frozenset(places) if places else None
    return Grant(named, Scope(facilities=codes) if named in CARE else Scope(areas=codes))


@contextmanager
def autocommit(settings: Settings) -> Iterator[Connection]:
    """A connection that commits by itself."""
    with connect(settings, "test", autocommit=True) as conn:
        yield conn
