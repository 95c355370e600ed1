"""Devices' credentials: issued, rotated with overlap, revoked; claim codes that turn into one. Nothing here commits.

The same hash is what mosquitto checks (tram.identity.broker): the broker's files are written from `in_force`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tram.errors import NotFoundError
from tram.identity import broker, brokerrules, totp
from tram.identity.broker import BrokerUser, CredentialError
from tram.identity.secrets import Keyring
from tram.store import sqlfile
from tram.store.database import Connection, available

OVERLAP = 7 * 86_400.0
"""Seconds that a device's older credentials go on being good after a rotation, unless said otherwise."""
CLAIM_LASTS = 30 * 86_400.0
_CLAIM_LETTERS = 12  # 60 bits


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh credential. The password is shown once and not stored."""

    thing: str
    number: int
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential for people to look at."""

    thing: str
    number: int
    topics: Sequence[str]
    created_by: str
    created: datetime
    expires: datetime | None
    revoked: datetime | None


def issue(
    conn: Connection, thing: str, *, by: str, topics: Sequence[str] | None = None, lifetime: float | None = None,
    now: float = 0.0,
) -> Issued:  # fmt: skip
    """One more credential of a thing; those it has stay good.

    Args:
        topics: filters of a foreign convention that are this device's own too; None: those of its last credential.
        lifetime: seconds from `now`; None: without end.

    Raises:
        CredentialError: the name or a topic cannot stand in the broker's files.
    """
    broker.check_name(thing)
    queries = sqlfile.load("credentials")
    with available():
        conn.execute(queries["lock"], {"thing": thing})
        row = conn.execute(queries["next_number"], {"thing": thing}).fetchone()
        number = int(row[0]) if row else 1
        if topics is None:
            row = conn.execute(queries["topics_of"], {"thing": thing}).fetchone()
            topics = row[0] if row else []
        password = broker.new_password()
        hash = broker.hashed(password)
        brokerrules.rules([broker.device(thing, number, hash, topics)])  # raises before anything is stored
        values = {
            "thing": thing, "number": number, "hash": hash, "topics": list(topics), "by": by,
            "expires": None if lifetime is None else now + lifetime,
        }  # fmt: skip
        conn.execute(queries["issue"], values)
    return Issued(thing, number, broker.user_of(thing, number), password)


def rotate(conn: Connection, thing: str, *, by: str, now: float, overlap: float = OVERLAP) -> Issued:
    """A new credential; the older ones run out `overlap` seconds later, so that the device changes in between."""
    issued = issue(conn, thing, by=by)
    with available():
        values = {"thing": thing, "number": issued.number, "until": now + overlap}
        conn.execute(sqlfile.load("credentials")["retire"], values)
    return issued


def revoke(conn: Connection, thing: str, number: int | None = None) -> list[int]:
    """Revokes one credential, or all of a thing and its unused claim codes; returns their numbers.

    Raises:
        NotFoundError: none was in force.
    """
    queries = sqlfile.load("credentials")
    with available():
        found = conn.execute(queries["revoke"], {"thing": thing, "number": number}).fetchall()
        if number is None:
            conn.execute(queries["void_claims"], {"thing": thing})
    if not found:
        raise NotFoundError(f"{thing[:100]} has no such credential in force")
    return sorted(int(row[0]) for row in found)


def in_force(conn: Connection, now: float) -> list[BrokerUser]:
    """The broker's users of every device, as of now."""
    with available():
        rows = conn.execute(sqlfile.load("credentials")["in_force"], {"now": now}).fetchall()
    return [broker.device(thing, number, hash, topics) for thing, number, hash, topics in rows]


def check(conn: Connection, user: str, password: str, now: float) -> str | None:
    """The thing whose credential this is, or None: for devices that speak HTTP."""
    thing, _, number = user.partition("~")
    if number and not (number.isascii() and number.isdigit() and len(number) <= 6):
        return None
    with available():
        values = {"thing": thing, "number": int(number or 1), "now": now}
        row = conn.execute(sqlfile.load("credentials")["of_user"], values).fetchone()
    if row is None:
        broker.fits(password, _NOBODY)  # the same time as a wrong password takes
        return None
    return thing if broker.fits(password, row[0]) else None


_NOBODY = broker.hashed("nobody", salt=b"\0" * 12)


def listed(conn: Connection, thing: str = "", *, after: str = "", limit: int = 500) -> list[CredentialRow]:
    """Of one thing or of all, by name, newest first; revoked ones too."""
    with available():
        values = {"thing": thing, "after": after, "limit": limit}
        return [CredentialRow(*row) for row in conn.execute(sqlfile.load("credentials")["list"], values)]


def new_claim(
    conn: Connection, thing: str, ring: Keyring, *, by: str, now: float, lifetime: float = CLAIM_LASTS
) -> str:
    """A code that can be turned into a credential of the thing, once. Shown once.

    Raises:
        CredentialError: the name cannot be a device's.
    """
    code = totp.code_word(_CLAIM_LETTERS, 4)
    values = {
        "mark": ring.mark(totp.normal_code(code), "claim"), "thing": broker.check_name(thing), "by": by,
        "expires": now + lifetime,
    }  # fmt: skip
    with available():
        conn.execute(sqlfile.load("credentials")["claim_add"], values)
    return code


def claim(conn: Connection, code: str, ring: Keyring, *, by: str, now: float) -> Issued | None:
    """Uses a claim code up; None: it is wrong, used or too old."""
    with available():
        values = {"marks": ring.marks(totp.normal_code(code), "claim"), "now": now}
        row = conn.execute(sqlfile.load("credentials")["claim_use"], values).fetchone()
    return None if row is None else issue(conn, row[0], by=by)


def sweep_claims(conn: Connection) -> int:
    """Deletes codes that are long over; returns how many."""
    with available():
        return conn.execute(sqlfile.load("credentials")["claim_sweep"]).rowcount


__all__ = [
    "CLAIM_LASTS", "OVERLAP", "CredentialError", "CredentialRow", "Issued", "check", "claim", "in_force", "issue",
    "listed", "new_claim", "revoke", "rotate", "sweep_claims",
]  # fmt: skip
