"""People and their roles, for those who look after them: a city admin, a hospital admin at the own facility."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.account import TokenOut
from services.api.session import RoleOut
from services.auth import signin
from services.auth.guard import Permit, allowed
from services.deps import Database, Id, Search
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from services.rfc3339 import Moment
from tram.identity import Grant, Target, decide, may_grant, passwords
from tram.identity.claims import parse_grant
from tram.identity.roles import CARE, GRANTABLE, LABELS, Role
from tram.store import access_tokens, events, people, sessions
from tram.store.database import Connection
from tram.store.people import Account

router = APIRouter(prefix="/api", tags=["people"], responses=ANSWERS)
Reading = Annotated[Permit, allowed("people.read")]
Managing = Annotated[Permit, allowed("people.manage")]
Granting = Annotated[Permit, allowed("roles.grant")]


class PersonOut(BaseModel):
    """Somebody."""

    id: int
    login: str
    name: str
    email: str
    disabled: bool
    demo: bool
    second_factor: bool
    created: datetime
    seen: datetime | None
    roles: list[RoleOut]


class GrantOut(RoleOut):
    """A role somebody was given."""

    id: int
    source: str = Field(description="local, or the identity provider whose claims gave it")
    granted_by: str
    granted: datetime
    expires: datetime | None


class PersonWithGrants(PersonOut):
    """Somebody and what they were given."""

    grants: list[GrantOut]


class NewPerson(BaseModel):
    """Somebody to add; their first role comes with them, so that whoever adds them may."""

    login: Annotated[str, Field(min_length=2, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(max_length=254)] = ""
    role: Annotated[str, Field(max_length=300, examples=["operator:area=05482", "doctor:facility=BV01"])]


class Password(BaseModel):
    """A first password, shown once; it must be changed at the first sign-in."""

    id: int
    login: str
    password: str


class NewGrant(BaseModel):
    """A role to give."""

    role: Annotated[str, Field(max_length=300, examples=["operator:area=05482"])]
    expires: Moment | None = None


class RoleKind(BaseModel):
    """A role there is."""

    role: str
    label: dict[str, str]
    place: str = Field(description="area or facility: what it is bound to")


@router.get("/roles", summary="The roles that people are given")
def list_roles(permit: Annotated[Permit, allowed("open.read")]) -> list[RoleKind]:
    """With their names."""
    return [
        RoleKind(role=role, label=LABELS[role]._asdict(), place="facility" if role in CARE else "area")
        for role in Role if role in GRANTABLE
    ]  # fmt: skip


@router.get("/people", summary="People and their roles")
def list_people(
    permit: Reading, database: Database, q: Search = "", limit: Limit = LIMIT, cursor: Cursor = None
) -> Page[PersonOut]:
    """Those whom one looks after. A page may be short: walk on while there is a `next`."""
    after = decode(cursor, tuple[str])
    rows = people.listed(database, search=q, after=after[0] if after else "", limit=limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    given = people.grants_of(database, [row.id for row in rows])
    seen = [row for row in rows if _sees(permit, row, given[row.id])]
    last = (rows[-1].login,) if more else None
    return page([_person(row, given[row.id]) for row in seen], limit, last)


@router.get("/people/{id}", summary="Somebody and what they were given")
def get_person(id: Id, permit: Reading, database: Database) -> PersonWithGrants:
    """With who gave it and when."""
    account = _theirs(permit, database, id)
    rows = people.grants(database, id)
    shown = [
        GrantOut(
            **dict(_role(row.grant)), id=row.id, source=row.source, granted_by=row.granted_by, granted=row.granted,
            expires=None if row.grant.expires is None else datetime.fromtimestamp(row.grant.expires).astimezone(),
        )
        for row in rows
    ]  # fmt: skip
    return PersonWithGrants(**dict(_person(account, [row.grant for row in rows])), grants=shown)


@router.post("/people", summary="Add somebody", status_code=201)
def add_person(given: NewPerson, permit: Managing, database: Database) -> Password:
    """With a first role and a random password, shown once."""
    grant = parse_grant(given.role)
    _may_give(permit, grant)
    password = passwords.new_password()
    hash = signin.hash_password(password)
    id = people.add(database, given.login, name=given.name, email=given.email, password=hash, must_change=True)
    people.grant(database, id, grant, by=permit.principal.id)
    account = people.get(database, id)
    permit.target, permit.detail = account.principal_id, {"added": account.login, "role": given.role}
    _event(permit, database, "account.added", account)
    _event(permit, database, "role.granted", account, {"role": given.role})
    return Password(id=id, login=account.login, password=password)


@router.post("/people/{id}/password", summary="Set a new random password")
def reset_password(id: Id, permit: Managing, database: Database) -> Password:
    """Shown once; it must be changed at the first sign-in. All their sessions end."""
    account = _theirs(permit, database, id)
    password = passwords.new_password()
    people.set_password(database, id, signin.hash_password(password), must_change=True)
    sessions.close_all(database, id)
    permit.target, permit.detail = account.principal_id, {"change": "password reset"}
    _event(permit, database, "password.reset", account)
    return Password(id=id, login=account.login, password=password)


@router.post("/people/{id}/disable", summary="Disable an account", status_code=204)
def disable(id: Id, permit: Managing, database: Database) -> None:
    """Their sessions end and their tokens are refused, at once."""
    account = _theirs(permit, database, id)
    if account.principal_id == permit.principal.id:
        raise Problem("conflict", "one does not disable oneself")
    people.set_disabled(database, id, True)
    sessions.close_all(database, id)
    access_tokens.revoke_all(database, id)
    permit.target, permit.detail = account.principal_id, {"change": "disabled"}
    _event(permit, database, "account.disabled", account)


@router.post("/people/{id}/enable", summary="Enable it again", status_code=204)
def enable(id: Id, permit: Managing, database: Database) -> None:
    """Its tokens stay revoked."""
    account = _theirs(permit, database, id)
    people.set_disabled(database, id, False)
    permit.target, permit.detail = account.principal_id, {"change": "enabled"}


@router.post("/people/{id}/grants", summary="Give a role", status_code=201)
def give(id: Id, given: NewGrant, permit: Granting, database: Database) -> PersonWithGrants:
    """Nobody gives more than they hold."""
    grant = parse_grant(given.role)
    _may_give(permit, grant)
    expires = None if given.expires is None else given.expires.timestamp()
    account = people.get(database, id)
    people.grant(database, id, Grant(grant.role, grant.scope, expires), by=permit.principal.id)
    permit.target, permit.detail = account.principal_id, {"given": given.role}
    _event(permit, database, "role.granted", account, {"role": given.role})
    return get_person(id, permit, database)


@router.delete("/people/{id}/grants/{grant_id}", summary="Take a role", status_code=204)
def take(id: Id, grant_id: Id, permit: Granting, database: Database) -> None:
    """At once."""
    owner, grant = people.get_grant(database, grant_id)
    if owner != id:
        raise Problem("not-found", "there is no such grant of theirs")
    _may_give(permit, grant)
    people.take(database, grant_id)
    account = people.get(database, id)
    permit.target, permit.detail = account.principal_id, {"taken": str(grant.role)}
    _event(permit, database, "role.taken", account, {"role": str(grant.role)})


@router.get("/tokens", summary="Everybody's access tokens")
def list_tokens(permit: Annotated[Permit, allowed("tokens.read")], database: Database) -> list[TokenOut]:
    """Never their secrets. Newest first, at most 500."""
    return [TokenOut.of(row) for row in access_tokens.listed(database)]


@router.get("/me/may", summary="Which operations one may do somewhere")
def may(
    permit: Annotated[Permit, allowed("session.open")], operation: Annotated[list[str], Query(max_length=50)]
) -> dict[str, bool]:
    """For pages that show only what can be used. Asking does nothing."""
    return {
        name: decide(permit.principal, name, None, now=permit.now).code in ("allowed", "step-up") for name in operation
    }


def _role(grant: Grant) -> RoleOut:
    return RoleOut(
        role=grant.role, label=LABELS[grant.role]._asdict(),
        areas=None if grant.scope.areas is None else sorted(grant.scope.areas),
        facilities=None if grant.scope.facilities is None else sorted(grant.scope.facilities),
    )  # fmt: skip


def _person(row: Account, given: list[Grant]) -> PersonOut:
    return PersonOut(
        id=row.id, login=row.login, name=row.name, email=row.email, disabled=row.disabled is not None, demo=row.demo,
        second_factor=row.second_factor, created=row.created, seen=row.seen, roles=[_role(grant) for grant in given],
    )  # fmt: skip


def _targets(permit: Permit, account: Account, given: list[Grant]) -> list[Target]:
    """Where somebody stands: at every place they were given a role for; nowhere without one."""
    tree = permit.state.known.tree()
    targets = [
        Target(path=tree.path(area), facility=facility, name=account.principal_id)
        for grant in given
        for area in sorted(grant.scope.areas or [""])
        for facility in sorted(grant.scope.facilities or [""])
    ]
    return targets or [Target(name=account.principal_id)]


def _sees(permit: Permit, account: Account, given: list[Grant]) -> bool:
    """One of their places is enough to see somebody."""
    return any(permit.decision.covers(target) for target in _targets(permit, account, given))


def _theirs(permit: Permit, database: Connection, id: int) -> Account:
    """Somebody one may deal with. To change somebody, ALL their places must be one's own; to see them, one.

    Raises:
        NotFoundError: there is nobody. Problem: they are not one's to deal with.
    """
    account = people.get(database, id)
    targets = _targets(permit, account, people.grants_of(database, [id])[id])
    reading = permit.decision.operation == "people.read"
    outside = [target for target in targets if not permit.decision.covers(target)]
    if outside and (not reading or len(outside) == len(targets)):
        permit.require(outside[0])
    return account


def _may_give(permit: Permit, grant: Grant) -> None:
    if not may_grant(permit.principal, grant.role, grant.scope, permit.state.known.tree(), now=permit.now):
        raise Problem("forbidden", "nobody gives or takes more than they hold themselves")


def _event(
    permit: Permit, database: Connection, code: str, account: Account, detail: dict[str, object] | None = None
) -> None:
    at = int(permit.now * 1e6)
    more = {**(detail or {}), "by": permit.principal.id}
    events.security(database, code, at=at, subject=account.principal_id, origin=permit.origin, detail=more)
