"""Devices' credentials: issue, rotate, revoke; claim codes; a device that renews its own."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from services.api.session import waiting
from services.auth.guard import Permit, allowed
from services.deps import Database, Text, ThingName
from services.errors import ANSWERS, Problem
from tram.identity import lockout
from tram.store import credentials, events, factors
from tram.store.credentials import CredentialRow, Issued
from tram.store.database import Connection

router = APIRouter(prefix="/api", tags=["devices"], responses=ANSWERS)
Reading = Annotated[Permit, allowed("devices.read")]
Managing = Annotated[Permit, allowed("devices.manage")]


class CredentialOut(BaseModel):
    """A credential, without its secret."""

    thing: str
    number: int
    user: str
    topics: list[str]
    created_by: str
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    @classmethod
    def of(cls, row: CredentialRow) -> "CredentialOut":
        """From the store."""
        user = row.thing if row.number == 1 else f"{row.thing}~{row.number}"
        return cls(
            thing=row.thing, number=row.number, user=user, topics=list(row.topics), created_by=row.created_by,
            created=row.created, expires=row.expires, revoked=row.revoked,
        )  # fmt: skip


class IssuedOut(BaseModel):
    """A fresh credential. The password is in this answer only."""

    thing: str
    user: str = Field(description="MQTT user name")
    password: str
    topics: list[str] = Field(description="where it may publish")

    @classmethod
    def of(cls, issued: Issued) -> "IssuedOut":
        """From the store."""
        root = f"tram/v1/{issued.thing}"
        return cls(thing=issued.thing, user=issued.user, password=issued.password, topics=[f"{root}/#"])


class Topics(BaseModel):
    """Topic filters of a foreign convention that are the device's own too."""

    topics: Annotated[list[Annotated[Text, Field(min_length=1, max_length=200)]], Field(max_length=20)] | None = None


class Rotation(BaseModel):
    """How long the old credentials stay good."""

    overlap_days: Annotated[float, Field(ge=0, le=90)] = 7.0


class ClaimCode(BaseModel):
    """A code to turn into a credential, once; in this answer only."""

    code: str


class Claim(BaseModel):
    """The code that came with the device."""

    code: Annotated[SecretStr, Field(min_length=1, max_length=40)]


@router.get("/devices/{name}/credentials", summary="A device's credentials")
def list_credentials(name: ThingName, permit: Reading, database: Database) -> list[CredentialOut]:
    """Newest first, revoked ones too."""
    permit.require(permit.place(name))
    return [CredentialOut.of(row) for row in credentials.listed(database, name)]


@router.post("/devices/{name}/credentials", summary="Issue a credential", status_code=201)
def issue(name: ThingName, given: Topics, permit: Managing, database: Database) -> IssuedOut:
    """Those it has stay good."""
    permit.require(permit.place(name))
    issued = credentials.issue(database, name, by=permit.principal.id, topics=given.topics)
    _event(permit, database, "device.credential", name, {"number": issued.number})
    return IssuedOut.of(issued)


@router.post("/devices/{name}/credentials/rotate", summary="Rotate a device's credential", status_code=201)
def rotate(name: ThingName, given: Rotation, permit: Managing, database: Database) -> IssuedOut:
    """A new one at once; the old ones run out later, so that the device changes without a gap."""
    permit.require(permit.place(name))
    issued = credentials.rotate(
        database, name, by=permit.principal.id, now=permit.now, overlap=given.overlap_days * 86_400
    )
    _event(permit, database, "device.credential", name, {"number": issued.number, "rotated": True})
    return IssuedOut.of(issued)


@router.delete("/devices/{name}/credentials", summary="Revoke a device", status_code=204)
def revoke(name: ThingName, permit: Managing, database: Database) -> None:
    """All its credentials and unused claim codes. The broker closes its connection within seconds."""
    permit.require(permit.place(name))
    numbers = credentials.revoke(database, name)
    _event(permit, database, "device.revoked", name, {"numbers": numbers})


@router.post("/devices/{name}/claim-code", summary="A claim code for a device", status_code=201)
def claim_code(name: ThingName, permit: Managing, database: Database) -> ClaimCode:
    """Good for a month, once."""
    permit.require(permit.place(name))
    return ClaimCode(
        code=credentials.new_claim(database, name, permit.state.keyring, by=permit.principal.id, now=permit.now)
    )


@router.post("/device-claims", summary="Turn a claim code into a credential", status_code=201)
def claim(given: Claim, permit: Annotated[Permit, allowed("devices.claim")], database: Database) -> IssuedOut:
    """For whoever installs the device, or the device itself. Wrong codes are held back by address."""
    tries = {f"claim:{permit.origin}": lockout.CLAIM}
    with permit.state.pool.connection() as conn:
        seconds = factors.wait(conn, tries, permit.now)
    if seconds:
        raise waiting(seconds)
    code = given.code.get_secret_value()
    issued = credentials.claim(database, code, permit.state.keyring, by="claim", now=permit.now)
    if issued is None:
        with permit.state.pool.connection() as conn:
            factors.failed(conn, tries, permit.now)
            events.security(conn, "device.claim-failed", at=int(permit.now * 1e6), origin=permit.origin)
        raise Problem("wrong-credentials", "this code is wrong, was used, or is too old")
    permit.target = issued.thing
    _event(permit, database, "device.credential", issued.thing, {"number": issued.number, "claimed": True})
    return IssuedOut.of(issued)


@router.post("/device-renewals", summary="A device renews its own credential", status_code=201)
def renew(permit: Annotated[Permit, allowed("devices.renew", device=True)], database: Database) -> IssuedOut:
    """With its MQTT user name and password as HTTP Basic. The old one stays good for a week."""
    thing = permit.principal.name
    issued = credentials.rotate(database, thing, by=permit.principal.id, now=permit.now)
    permit.target = thing
    _event(permit, database, "device.credential", thing, {"number": issued.number, "renewed": True})
    return IssuedOut.of(issued)


def _event(permit: Permit, database: Connection, code: str, thing: str, detail: dict[str, object]) -> None:
    more = {**detail, "by": permit.principal.id}
    at = int(permit.now * 1e6)
    events.security(database, code, at=at, subject=f"d:{thing}", origin=permit.origin, detail=more)
