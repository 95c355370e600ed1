"""`/api/dashboards`: dashboards that people compose on the wall, their versions, who may open them."""

import re
from typing import Annotated, Any, Self

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS, Problem, ProblemBody
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.dashboards import definition as definitions
from tram.dashboards.definition import Definition
from tram.identity import Target, decide
from tram.store import dashboards
from tram.store.dashboards import Stored, Version

router = APIRouter(prefix="/api/dashboards", tags=["dashboards"], responses=ANSWERS)
CLASH: dict[int | str, dict[str, Any]] = {
    409: {"model": ProblemBody, "description": "Somebody else saved meanwhile: nothing was stored; what to do is said"}
}
Reading = Annotated[Permit, allowed("dashboards.read")]
Managing = Annotated[Permit, allowed("dashboards.manage")]
DashboardId = Annotated[Text, Path(min_length=1, max_length=40)]


def _expected(
    if_match: Annotated[str, Header(max_length=40, description="the version that was read: its ETag")],
) -> int:
    found = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', if_match)
    if found is None:
        raise Problem("invalid", 'If-Match is the version that was read, such as "3"')
    return int(found[1])


Expected = Annotated[int, Depends(_expected)]


class Summary(BaseModel):
    """A dashboard in a list."""

    id: str
    version: int
    labels: dict[str, str]
    panels: int
    owner: str
    owner_name: str
    mine: bool
    shared: bool
    manageable: bool = Field(description="whether you may change, share and delete it")
    created: AwareDatetime
    updated: AwareDatetime
    by: str
    by_name: str


class Whole(Summary):
    """One, with what is on it."""

    definition: dict[str, Any] = Field(description="tram/dashboards/definition.py")


class VersionOut(BaseModel):
    """A version there was; `definition` where one was asked for."""

    version: int
    at: AwareDatetime
    by: str
    by_name: str
    labels: dict[str, str]
    panels: int
    definition: dict[str, Any] | None = None

    @classmethod
    def of(cls, one: Version, *, whole: bool = False) -> Self:
        """From the store."""
        return cls(
            version=one.version, at=one.at, by=one.by, by_name=one.by_name, labels=_labels(one.definition),
            panels=len(one.definition.panels), definition=msgspec.to_builtins(one.definition) if whole else None,
        )  # fmt: skip


class NewBody(BaseModel):
    """A dashboard to add."""

    definition: dict[str, Any]
    shared: bool = False


class PutBody(BaseModel):
    """What it becomes."""

    definition: dict[str, Any]
    shared: bool | None = Field(default=None, description="null: as it is")


class RestoreBody(BaseModel):
    """Which version comes back, as a new one."""

    version: int = Field(ge=1, le=2**31 - 1)


@router.get("", summary="Dashboards that you may open, by id")
def list_dashboards(permit: Reading, database: Database, limit: Limit = LIMIT, cursor: Cursor = None) -> Page[Summary]:
    """Your own, and the shared ones that show nothing beyond what you may see."""
    key = decode(cursor, tuple[str])
    rows = dashboards.list_dashboards(
        database, permit.principal.id, everything=permit.unbounded, after=key[0] if key else "", limit=limit + 1
    )
    last = (rows[limit - 1].id,) if len(rows) > limit else None
    return page([_summary(permit, row) for row in rows[:limit] if _opens(permit, row)], limit, last)


@router.post("", summary="Add a dashboard", status_code=201, responses=CLASH)
def add_dashboard(permit: Managing, database: Database, body: NewBody, response: Response) -> Whole:
    """It belongs to you."""
    made = dashboards.add(database, definitions.read(body.definition), permit.principal.id, shared=body.shared)
    permit.target, permit.detail = f"dashboard {made.id}", {"version": 1, "shared": made.shared}
    return _whole(permit, made, response)


@router.get("/{id}", summary="One dashboard")
def get_dashboard(permit: Reading, database: Database, id: DashboardId, response: Response) -> Whole:
    """Refused where it is not shared, or names a Thing that you may not see. Its ETag is its version."""
    return _whole(permit, _one(permit, dashboards.get(database, id)), response)


@router.put("/{id}", summary="Save a dashboard", responses=CLASH)
def put_dashboard(
    permit: Managing, database: Database, id: DashboardId, body: PutBody, expected: Expected, response: Response
) -> Whole:
    """A new version; the same once more makes none. 409 where somebody else saved meanwhile."""
    _managed(permit, dashboards.get(database, id))
    definition = definitions.read(body.definition)
    stored = dashboards.put(database, id, definition, permit.principal.id, expected=expected, shared=body.shared)
    permit.detail = {"version": stored.version, "shared": stored.shared}
    return _whole(permit, stored, response)


@router.delete("/{id}", summary="Delete a dashboard", status_code=204, responses=CLASH)
def delete_dashboard(permit: Managing, database: Database, id: DashboardId, expected: Expected) -> None:
    """Restoring one of its versions brings it back."""
    _managed(permit, dashboards.get(database, id))
    dashboards.delete(database, id, expected=expected)


@router.get("/{id}/versions", summary="Versions of a dashboard, the newest first")
def list_versions(permit: Reading, database: Database, id: DashboardId) -> list[VersionOut]:
    """The newest hundred are kept."""
    _one(permit, dashboards.get(database, id))
    return [VersionOut.of(one) for one in dashboards.versions(database, id)]


@router.get("/{id}/versions/{version}", summary="One version of a dashboard")
def get_version(
    permit: Reading, database: Database, id: DashboardId, version: Annotated[int, Path(ge=1, le=2**31 - 1)]
) -> VersionOut:
    """With what was on it."""
    _one(permit, dashboards.get(database, id))
    return VersionOut.of(dashboards.version(database, id, version), whole=True)


@router.post("/{id}/restore", summary="Bring back a version, or what was deleted", responses=CLASH)
def restore_dashboard(
    permit: Managing, database: Database, id: DashboardId, body: RestoreBody, expected: Expected, response: Response
) -> Whole:
    """An old version becomes the newest; nothing in between is lost."""
    _managed(permit, dashboards.get(database, id, deleted=True))
    old = dashboards.version(database, id, body.version)
    stored = dashboards.put(database, id, old.definition, permit.principal.id, expected=expected)
    permit.detail = {"version": stored.version, "restored": body.version}
    return _whole(permit, stored, response)


def _target(row: Stored) -> Target:
    return Target(owner=row.owner, public=row.shared, name=f"dashboard {row.id}")


def _shown(permit: Permit, row: Stored) -> list[Target]:
    """The Things that it names, where they stand; what is no Thing (any more) shows nothing."""
    return [found for found in map(permit.state.known.find, row.things) if found is not None]


def _opens(permit: Permit, row: Stored) -> bool:
    if permit.unbounded or row.owner == permit.principal.id:
        return True
    return permit.decision.covers(_target(row)) and all(
        decide(permit.principal, "observations.read", place, now=permit.now).allowed for place in _shown(permit, row)
    )


def _one(permit: Permit, row: Stored) -> Stored:
    permit.require(_target(row), "dashboards.read")
    if row.owner != permit.principal.id:
        for place in _shown(permit, row):
            permit.require(place, "observations.read")
    return row


def _managed(permit: Permit, row: Stored) -> Stored:
    _one(permit, row)
    permit.require(Target(owner=row.owner, name=f"dashboard {row.id}"))
    permit.target = f"dashboard {row.id}"
    return row


def _labels(definition: Definition) -> dict[str, str]:
    return {"vi": definition.labels.vi, "en": definition.labels.en}


def _summary(permit: Permit, row: Stored) -> Summary:
    manage = decide(permit.principal, "dashboards.manage", Target(owner=row.owner), now=permit.now)
    return Summary(
        id=row.id, version=row.version, labels=_labels(row.definition), panels=len(row.definition.panels),
        owner=row.owner, owner_name=row.owner_name, mine=row.owner == permit.principal.id, shared=row.shared,
        manageable=manage.allowed, created=row.created, updated=row.updated, by=row.by, by_name=row.by_name,
    )  # fmt: skip


def _whole(permit: Permit, row: Stored, response: Response) -> Whole:
    response.headers["ETag"] = f'"{row.version}"'
    return Whole(**_summary(permit, row).model_dump(), definition=msgspec.to_builtins(row.definition))
