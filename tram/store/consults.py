"""Who belongs to which consult, and the emergency's way to a record. Nothing commits, and nothing decides.

A consult has a clinical record behind the wall (tram.store.wall); who is assigned to the consult is assigned to the
record. Who broke the glass is neither: they see it for a while and write nothing.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tram.errors import NotFoundError
from tram.identity.principal import Kind, Principal
from tram.identity.scope import Target
from tram.identity.standing import Standing
from tram.store import sqlfile
from tram.store.database import Connection, available
from tram.store.people import principal_id
from tram.store.sessions import grants_of_json

EMERGENCY_SECONDS = 3600.0
"""How long a broken glass stays open."""


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody's place in a consult. `until`: seconds since 1970; None: until the end."""

    account: int
    seat: str
    until: float | None


@dataclass(frozen=True, slots=True)
class Consult:
    """A consult and who belongs to it. `station` asked `hospital`; both are codes of facilities."""

    id: str
    record: UUID
    station: str
    hospital: str
    requested: datetime
    closed: datetime | None
    people: tuple[Seated, ...]

    def target(self, facility: str) -> Target:
        """The consult as the target of an operation that is decided by this facility, or by who is assigned."""
        return target(self.id, facility, (person.account for person in self.people))


def target(consult: str, facility: str, accounts: Iterable[int]) -> Target:
    """A consult as a target."""
    ids = frozenset(principal_id(account) for account in accounts)
    return Target(facility=facility, assigned=ids, name=f"consult {consult}")


def request(conn: Connection, *, station: str, hospital: str, account: int) -> str:
    """A new consult, whose first person has the station's seat; returns its id (128 random bits)."""
    id = secrets.token_urlsafe(16)
    record = _row(conn, "record", {"facility": station, "principal": principal_id(account)})
    assert record is not None
    with available():
        values = {"id": id, "record": record[0], "station": station, "hospital": hospital}
        conn.execute(sqlfile.load("consults")["add"], values)
    _seat(conn, id, account, "station", by=principal_id(account))
    return id


def get(conn: Connection, id: str) -> Consult:
    """A consult. Raises NotFoundError."""
    row = _row(conn, "get", {"id": id})
    if row is None:
        raise NotFoundError("there is no such consult")
    return _consult(row)


def waiting(conn: Connection, facilities: list[str] | None, *, after: str | None, limit: int) -> list[Consult]:
    """Those not closed of these facilities (None: of all), the longest waiting first."""
    with available():
        values = {"facilities": facilities, "after": after, "limit": limit}
        return [_consult(row) for row in conn.execute(sqlfile.load("consults")["open"], values)]


def assign(conn: Connection, consult: Consult, account: int, seat: str, *, by: str) -> None:
    """Gives somebody a seat, and the record."""
    _seat(conn, consult.id, account, seat, by=by)
    _row(conn, "assign", {"record": consult.record, "principal": principal_id(account)}, returns=False)


def withdraw(conn: Connection, consult: Consult, account: int) -> None:
    """Takes the seat and the record away; whoever sits there is put out at once. Raises NotFoundError."""
    if _row(conn, "unseat", {"consult": consult.id, "account": account}) is None:
        raise NotFoundError("this person does not belong to the consult")
    _row(conn, "withdraw", {"record": consult.record, "principal": principal_id(account)}, returns=False)


def close(conn: Connection, id: str) -> None:
    """Nobody joins any more. Raises NotFoundError: it is closed already."""
    if _row(conn, "close", {"id": id}) is None:
        raise NotFoundError("this consult is closed already")


def record_facility(conn: Connection, record: UUID) -> str:
    """Whose record it is. Raises NotFoundError."""
    row = _row(conn, "facility_of", {"record": record})
    if row is None:
        raise NotFoundError("there is no such record")
    return str(row[0])


def break_glass(conn: Connection, record: UUID, principal: str, reason: str) -> float:
    """Opens a record for one person for EMERGENCY_SECONDS; returns until when (seconds since 1970).

    Ask `decide` (record.break-glass) first, and write the audit and the event: nothing here does.
    """
    values = {"record": record, "principal": principal, "reason": reason, "seconds": EMERGENCY_SECONDS}
    row = _row(conn, "break_glass", values)
    assert row is not None
    return float(row[0])


def admit(conn: Connection, consult: str, account: int, *, until: float, by: str) -> None:
    """An observer's seat for as long as the glass is broken; who has a lasting seat keeps that."""
    _seat(conn, consult, account, "observer", by=by, until=until)


def standings(conn: Connection, consult: str) -> dict[str, Standing]:
    """Principal id -> everybody who may be in it; nobody when it is closed or there is none."""
    with available():
        rows = conn.execute(sqlfile.load("consults")["standing"], {"consult": consult}).fetchall()
    accounts = [row[0] for row in rows]
    return {
        principal_id(account): Standing(
            Principal(Kind.PERSON, principal_id(account), login, grants_of_json(given)), seat, until,
            target(consult, station if seat == "station" else hospital, accounts),
        )
        for account, login, seat, until, station, hospital, given in rows
    }  # fmt: skip


def _seat(conn: Connection, consult: str, account: int, seat: str, *, by: str, until: float | None = None) -> None:
    values = {"consult": consult, "account": account, "seat": seat, "by": by, "until": until}
    _row(conn, "seat", values)


def _consult(row: tuple[Any, ...]) -> Consult:
    id, record, station, hospital, requested, closed, given = row
    people = tuple(Seated(p["account"], p["seat"], p["until"]) for p in given)
    return Consult(id, record, station, hospital, requested, closed, people)


def _row(conn: Connection, query: str, values: dict[str, Any], *, returns: bool = True) -> tuple[Any, ...] | None:
    with available():
        cursor = conn.execute(sqlfile.load("consults")[query], values)
        return cursor.fetchone() if returns else None
