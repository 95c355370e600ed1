"""`/api/annotations`: notes on charts. Their author changes them, or who may manage all of their place."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS, Problem
from services.rfc3339 import Moment
from tram.errors import NotFoundError, PayloadError
from tram.identity import Target, decide
from tram.store import annotations, registry
from tram.store.annotations import Annotation

router = APIRouter(prefix="/api/annotations", tags=["annotations"], responses=ANSWERS)
Reads = Annotated[Permit, allowed("annotations.read")]
Writes = Annotated[Permit, allowed("annotations.write")]
NoteId = Annotated[int, Path(ge=1, le=2**63 - 1)]
DatastreamId = Annotated[int, Field(ge=1, le=2**31 - 1)]
MANAGE = "annotations.manage"


class AnnotationIn(BaseModel):
    """What is said, and of which time. Without `ends` it is of a moment."""

    starts: Moment
    ends: Moment | None = None
    text: Annotated[Text, Field(min_length=1, max_length=annotations.MOST_TEXT)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.text.strip():
            raise ValueError("text: say something")
        if self.ends is not None and self.ends < self.starts:
            raise ValueError("ends: before starts")
        return self


class NewNote(AnnotationIn):
    """With what it is about: one Datastream, or an area and all below it."""

    datastream: DatastreamId | None = None
    area: Annotated[Text, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.datastream is None) == (self.area is None):
            raise ValueError("either datastream or area")
        return self


class NoteOut(BaseModel):
    """A note on charts."""

    id: int
    datastream: int | None
    area: str | None
    on: list[int] = Field(description="of the Datastreams asked for, those it is about")
    starts: AwareDatetime
    ends: AwareDatetime = Field(description="equal to `starts`: a moment")
    text: str
    by: str = Field(description="the name of who wrote it")
    created: AwareDatetime
    changed: AwareDatetime
    editable: bool = Field(description="whether you may change or delete it")

    @classmethod
    def of(cls, row: Annotation, permit: Permit) -> "NoteOut":
        """From the store, for one reader."""
        return cls(
            id=row.id, datastream=row.datastream_id, area=row.area, on=list(row.on), starts=row.starts, ends=row.ends,
            text=row.text, by=row.by_name or row.by, created=row.created, changed=row.changed,
            editable=_may(permit, row),
        )  # fmt: skip


@router.get("", summary="Notes on the charts of some Datastreams")
def list_annotations(
    permit: Reads,
    database: Database,
    datastream: Annotated[list[DatastreamId], Query(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
    area: Annotated[list[Text], Query(max_length=50)] = [],  # noqa: B006
    start: Annotated[Moment | None, Query(alias="from", description="a day before `to` without it")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="now without it")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> list[NoteOut]:
    """Those that touch the time, the latest first: the Datastreams' own, and those of the areas they stand in."""
    last = end or datetime.now(UTC)
    first = start or last - timedelta(days=1)
    things = registry.get_datastreams(database, datastream)
    shown = permit.visible([id for id in datastream if id in things], lambda id: things[id].thing)
    tree = permit.state.known.tree()
    areas = [one for one in area if permit.unbounded or permit.decision.covers(Target(path=tree.path(one)))]
    rows = annotations.listed(database, shown, areas, first, last, limit)
    return [NoteOut.of(row, permit) for row in rows]


@router.post("", summary="Write a note", status_code=201)
def add_annotation(permit: Writes, database: Database, body: NewNote) -> NoteOut:
    """It shows on every chart of the Datastream, or of all Datastreams in the area."""
    permit.require(_target(permit, database, body.datastream, body.area))
    principal = permit.principal
    try:
        row = annotations.add(
            database, datastream=body.datastream, area=body.area, starts=body.starts, ends=body.ends or body.starts,
            text=body.text.strip(), by=principal.id, by_name=principal.name,
        )  # fmt: skip
    except PayloadError as error:
        raise Problem("conflict", str(error)) from None
    _note(permit, row)
    return NoteOut.of(row, permit)


@router.put("/{id}", summary="Change a note")
def put_annotation(permit: Writes, database: Database, id: NoteId, body: AnnotationIn) -> NoteOut:
    """One's own; or anybody's, for who manages the place. The audit keeps what it said before."""
    before = _own(permit, annotations.get(database, id))
    row = annotations.change(
        database, id, starts=body.starts, ends=body.ends or body.starts, text=body.text.strip(), by=permit.principal.id
    )
    _note(permit, before)
    return NoteOut.of(row, permit)


@router.delete("/{id}", summary="Delete a note", status_code=204)
def delete_annotation(permit: Writes, database: Database, id: NoteId) -> None:
    """One's own; or anybody's, for who manages the place. The audit keeps what it said."""
    row = _own(permit, annotations.get(database, id))
    annotations.delete(database, id)
    _note(permit, row)


def _target(permit: Permit, database: Database, datastream: int | None, area: str | None) -> Target:
    if datastream is not None:
        found = registry.get_datastreams(database, [datastream])
        if datastream not in found:
            raise NotFoundError(f"there is no Datastream {datastream}")
        return permit.place(found[datastream].thing)
    return Target(path=permit.state.known.tree().path(area), name=f"area {area}")


def _place(permit: Permit, row: Annotation) -> Target:
    if row.area is None:
        return permit.place(row.thing)
    return Target(path=permit.state.known.tree().path(row.area), name=f"area {row.area}")


def _may(permit: Permit, row: Annotation) -> bool:
    place = _place(permit, row)
    operation = "annotations.write" if row.by == permit.principal.id else MANAGE
    return decide(permit.principal, operation, place, now=permit.now).allowed


def _own(permit: Permit, row: Annotation) -> Annotation:
    permit.require(_place(permit, row))
    if row.by != permit.principal.id:
        permit.require(_place(permit, row), MANAGE)
    return row


def _note(permit: Permit, row: Annotation) -> None:
    permit.target = f"annotation {row.id}"
    permit.detail = {"text": row.text[:200], "starts": row.starts.isoformat()}
