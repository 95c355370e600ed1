"""Who belongs to a consult, the token that opens its room, and the emergency's way in.

The room itself is the telehealth plane's; it checks the token with the public half of our signing keys and decides anew
at every message (telehealth/standing.py).
"""

import secrets
import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.identity import Kind, Target, tokens
from tram.store import consults, events, keys, people, wall
from tram.store.consults import Consult
from tram.store.database import Connection
from tram.store.people import principal_id

router = APIRouter(prefix="/api", tags=["consults"], responses=ANSWERS)
ConsultId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Facility = Annotated[Text, Field(min_length=1, max_length=64, examples=["TYT-QS"])]
JOIN_SECONDS = 120.0
"""How long a join token is good for; telehealth takes none that claims more than five minutes."""


class SeatOut(BaseModel):
    """Somebody's place."""

    person: str
    seat: str
    until: datetime | None = Field(description="null: until the end; else an emergency's access, which runs out")


class ConsultOut(BaseModel):
    """A consult and who belongs to it."""

    id: str
    record: UUID
    station: str
    hospital: str
    requested: datetime
    closed: datetime | None
    people: list[SeatOut]


class ConsultIn(BaseModel):
    """A consult to ask for."""

    station: Facility
    hospital: Facility


class Assigned(BaseModel):
    """Somebody to bring in."""

    person: Annotated[int, Field(ge=1, le=2**31 - 1, description="account")]
    seat: Annotated[str, Field(pattern="^(station|doctor|specialist|interpreter|observer)$")] = "doctor"


class Reason(BaseModel):
    """Why somebody needs what is not theirs: it is read afterwards."""

    reason: Annotated[Text, Field(min_length=10, max_length=500)]


class Opened(BaseModel):
    """Until when the glass is broken."""

    record: UUID
    until: datetime


class Join(BaseModel):
    """What opens the room, once."""

    token: str
    consult: str
    seat: str
    expires: datetime


Requesting = Annotated[Permit, allowed("consult.request")]
Queueing = Annotated[Permit, allowed("consult.queue")]
Accepting = Annotated[Permit, allowed("consult.accept")]
Assigning = Annotated[Permit, allowed("consult.assign")]
Closing = Annotated[Permit, allowed("consult.close")]
Joining = Annotated[Permit, allowed("consult.join")]
Breaking = Annotated[Permit, allowed("record.break-glass")]


@router.post("/consults", summary="Request a consult", status_code=201)
def request(wanted: ConsultIn, permit: Requesting, database: Database) -> ConsultOut:
    """From one's own station to a hospital; one has the station's seat in it."""
    permit.require(Target(facility=wanted.station, name=f"station {wanted.station}"))
    id = consults.request(database, station=wanted.station, hospital=wanted.hospital, account=_account(permit))
    permit.target = f"consult {id}"
    return _out(consults.get(database, id))


@router.get("/consults", summary="Consults of one's facility")
def queue(permit: Queueing, database: Database, limit: Limit = LIMIT, cursor: Cursor = None) -> Page[ConsultOut]:
    """Those that are not closed, the longest waiting first."""
    after = decode(cursor, tuple[str])
    rows = consults.waiting(
        database, wall.facilities(permit.decision), after=after[0] if after else None, limit=limit + 1
    )
    more, rows = len(rows) > limit, rows[:limit]
    return page([_out(row) for row in rows], limit, (rows[-1].id,) if more else None)


@router.post("/consults/{consult}/accept", summary="Accept a consult")
def accept(consult: ConsultId, permit: Accepting, database: Database) -> ConsultOut:
    """As its doctor, at the hospital that was asked."""
    found = _open(database, consult)
    permit.require(found.target(found.hospital))
    consults.assign(database, found, _account(permit), "doctor", by=permit.principal.id)
    return _out(consults.get(database, consult))


@router.post("/consults/{consult}/people", summary="Bring somebody into a consult")
def assign(consult: ConsultId, given: Assigned, permit: Assigning, database: Database) -> ConsultOut:
    """By the admin of the hospital that was asked. Whether they may join is decided by their own role when they do."""
    found = _open(database, consult)
    permit.require(found.target(found.hospital))
    person = people.get(database, given.person)
    consults.assign(database, found, person.id, given.seat, by=permit.principal.id)
    permit.detail = {"person": principal_id(person.id), "seat": given.seat}
    return _out(consults.get(database, consult))


@router.delete("/consults/{consult}/people/{id}", summary="Take somebody out of a consult", status_code=204)
def withdraw(
    consult: ConsultId, id: Annotated[int, Path(ge=1, le=2**31 - 1)], permit: Assigning, database: Database
) -> None:
    """At once, also when they are in the room."""
    found = _open(database, consult)
    permit.require(found.target(found.hospital))
    consults.withdraw(database, found, id)
    permit.detail = {"person": principal_id(id)}


@router.delete("/consults/{consult}", summary="Close a consult", status_code=204)
def close(consult: ConsultId, permit: Closing, database: Database) -> None:
    """By somebody who belongs to it, or an admin of the hospital: nobody joins any more, whoever is in is put out."""
    found = _open(database, consult)
    permit.require(found.target(found.hospital))
    consults.close(database, consult)


@router.post("/consults/{consult}/token", summary="A token that opens the consult's room", status_code=201)
def join(consult: ConsultId, permit: Joining, database: Database) -> Join:
    """For one's own seat, once, within two minutes. Who does not belong to the consult is refused."""
    found = _open(database, consult)
    permit.require(found.target(found.hospital))
    account = _account(permit)
    seat = next((p.seat for p in found.people if p.account == account), None)
    if seat is None:
        raise Problem("forbidden", "you do not belong to this consult")
    now = time.time()
    held = keys.load(database, permit.state.keyring, now)
    if not any(key.signs_from <= now < key.signs_until for key in held):
        keys.rotate(database, permit.state.keyring, now)  # the worker's work, when it has not been there yet
        now = time.time()  # the database keeps microseconds: the key may begin a little after the moment it was made
        held = keys.load(database, permit.state.keyring, now)
    token = tokens.sign(
        tokens.signer(held, now), typ=tokens.JOIN, issuer=tokens.ISSUER, audience=tokens.CONSULT, now=now,
        subject=permit.principal.id, id=secrets.token_urlsafe(16), lifetime=JOIN_SECONDS,
        more={
            "consult": consult, "seat": seat, "name": people.get(database, account).name[:100],
            "facility": (found.station if seat == "station" else found.hospital)[:100],
        },
    )  # fmt: skip
    permit.detail = {"seat": seat}
    return Join(token=token, consult=consult, seat=seat, expires=_moment(now + JOIN_SECONDS))


@router.post("/consults/{consult}/break-glass", summary="Into a consult that is not one's own, in an emergency")
def break_into(consult: ConsultId, given: Reason, permit: Breaking, database: Database) -> Opened:
    """An observer's seat, and its record to read, for an hour. It is audited, told as an alert, and read afterwards."""
    found = _open(database, consult)
    permit.require(found.target(found.hospital))
    until = _broken(permit, database, found.record, given.reason, f"consult {consult}")
    consults.admit(database, consult, _account(permit), until=until, by=permit.principal.id)
    return Opened(record=found.record, until=_moment(until))


@router.post("/records/{record}/break-glass", summary="To a record that is not one's own, in an emergency")
def break_glass(record: UUID, given: Reason, permit: Breaking, database: Database) -> Opened:
    """To read, for an hour, never to write. It is audited, told as an alert, and read afterwards."""
    facility = consults.record_facility(database, record)
    permit.require(Target(facility=facility, name=f"record {record}"))
    until = _broken(permit, database, record, given.reason, f"record {record}")
    return Opened(record=record, until=_moment(until))


def _broken(permit: Permit, database: Connection, record: UUID, reason: str, what: str) -> float:
    until = consults.break_glass(database, record, permit.principal.id, reason)
    permit.target, permit.detail = what, {"reason": reason, "until": until, "record": str(record)}
    events.security(
        database, "break-glass.opened", at=int(permit.now * 1e6), subject=permit.principal.id, origin=permit.origin,
        detail={"what": what, "until": until},
    )  # fmt: skip
    return until


def _open(database: Connection, consult: str) -> Consult:
    found = consults.get(database, consult)
    if found.closed is not None:
        raise Problem("conflict", "this consult is closed")
    return found


def _account(permit: Permit) -> int:
    """Whose deed it is: a seat is a person's, never a program's."""
    if permit.principal.kind is not Kind.PERSON:
        raise Problem("forbidden", "sign in as a person: a program has no seat")
    return int(permit.principal.id.removeprefix("p:"))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _out(found: Consult) -> ConsultOut:
    return ConsultOut(
        id=found.id, record=found.record, station=found.station, hospital=found.hospital,
        requested=found.requested, closed=found.closed,
        people=[
            SeatOut(
                person=principal_id(p.account), seat=p.seat, until=None if p.until is None else _moment(float(p.until))
            )
            for p in found.people
        ],
    )  # fmt: skip
