"""`/api/calculated`: calculated Datastreams, their faults, and trials of drafts on history. See docs/calculated.md."""

import math
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Id
from services.errors import ANSWERS, Problem
from services.paging import Cursor, Limit, Page, decode, page
from tram.clock import SECOND, from_micros, to_micros
from tram.errors import NotFoundError, PayloadError
from tram.expressions import ExpressionError
from tram.store import calculated, calculated_trial, registry
from tram.store.calculated import Definition, Draft
from tram.store.database import Connection

T = TypeVar("T")

router = APIRouter(prefix="/api/calculated", tags=["calculated"], responses=ANSWERS)


class DraftBody(BaseModel):
    """What is to be computed."""

    thing: str = Field(min_length=1, max_length=255, description="whose property it is; one that is not there is made")
    property: str = Field(min_length=1, max_length=255)
    unit: str = Field(default="", max_length=64, description="UCUM; empty: the property's own")
    expression: str = Field(min_length=1, max_length=2000, examples=["mean(rain, '1h') * 2"])
    inputs: dict[str, int] = Field(max_length=20, description="name in the expression: Datastream", min_length=1)
    triggers: list[str] = Field(default_factory=list, max_length=20, description="empty: all inputs")
    max_age: float = Field(default=3600, gt=0, le=2_678_400, description="seconds a newest value counts")
    label: str = Field(default="", max_length=200)
    enabled: bool = True

    def draft(self) -> Draft:
        """For the store."""
        given = self.model_dump(exclude={"max_age"})
        return Draft(**given, max_age=max(1, round(self.max_age * SECOND)))


class TrialBody(DraftBody):
    """A draft, and the time that it is tried on; without one, the last day."""

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    limit: int = Field(default=500, ge=1, le=5000, description="most values that are shown")


class InputModel(BaseModel):
    """What a name in the expression stands for. `datastream_id` null: it was deleted."""

    name: str
    datastream_id: int | None
    was: str
    unit: str | None
    reach_seconds: float
    triggers: bool


class DefinitionModel(BaseModel):
    """A calculated Datastream; `datastream_id` is its result. `fault` says why nothing is computed; "" all is well."""

    id: int
    label: str
    expression: str
    datastream_id: int | None
    thing: str | None
    property: str | None
    unit: str | None
    max_age: float
    enabled: bool
    created_by: str
    created: AwareDatetime
    changed: AwareDatetime
    fault: str
    fault_at: AwareDatetime | None
    computed_at: AwareDatetime | None
    written: int
    undefined: int = Field(description="values that came out as no number, e.g. of a division by zero")
    undefined_at: AwareDatetime | None
    waiting: bool = Field(description="there is history still to be computed")
    inputs: list[InputModel]


class TrialValue(BaseModel):
    """One value; `result` null: undefined."""

    time: AwareDatetime
    result: float | None


class TrialModel(BaseModel):
    """What a draft would have given."""

    unit: str
    count: int
    undefined: int
    looked_at: int = Field(description="values of the inputs that were read")
    values: list[TrialValue]


def shown(one: Definition) -> DefinitionModel:
    """As it is answered."""
    inputs = [
        InputModel(name=i.name, datastream_id=i.datastream_id, was=i.was, unit=i.unit, reach_seconds=i.reach / SECOND,
                   triggers=i.triggers)
        for i in one.inputs
    ]  # fmt: skip
    return DefinitionModel(
        id=one.id, label=one.label, expression=one.expression, datastream_id=one.output_id, thing=one.thing,
        property=one.property, unit=one.unit, max_age=one.max_age / SECOND, enabled=one.enabled,
        created_by=one.created_by, created=one.created, changed=one.changed, fault=one.fault, fault_at=one.fault_at,
        computed_at=one.computed_at, written=one.written, undefined=one.undefined, undefined_at=one.undefined_at,
        waiting=one.waiting, inputs=inputs,
    )  # fmt: skip


def _require(permit: Permit, conn: Connection, draft: Draft) -> None:
    """The result's Thing and every input's must be within reach; a new Thing is for those who reach everything."""
    try:
        registry.get_thing(conn, draft.thing)
        permit.require(permit.place(draft.thing))
    except NotFoundError:
        if not permit.unbounded:
            raise Problem("forbidden", "a new Thing is made by somebody whose rights hold everywhere") from None
    for stream in registry.get_datastreams(conn, list(draft.inputs.values())).values():
        permit.require(permit.place(stream.thing), "observations.read")


def _seen(permit: Permit, one: Definition) -> bool:
    return permit.unbounded or (one.thing is not None and permit.decision.covers(permit.place(one.thing)))


def _one(permit: Permit, conn: Connection, id: int) -> Definition:
    found = calculated.get(conn, id)
    if not _seen(permit, found):
        raise NotFoundError(f"there is no calculated Datastream {id}")
    return found


@router.get("")
def list_calculated(
    permit: Annotated[Permit, allowed("calculated.read")], conn: Database, limit: Limit = 100, cursor: Cursor = None
) -> Page[DefinitionModel]:
    """Calculated Datastreams, by id."""
    after = decode(cursor, tuple[int]) or (0,)
    rows = calculated.list_definitions(conn, after=after[0], limit=limit + 1)
    last = (rows[limit - 1].id,) if len(rows) > limit else None
    return page([shown(one) for one in rows[:limit] if _seen(permit, one)], limit, last)


@router.post("", status_code=201)
def add_calculated(
    permit: Annotated[Permit, allowed("calculated.manage")], conn: Database, body: DraftBody
) -> DefinitionModel:
    """Makes one; its history is computed soon after."""
    draft = body.draft()
    _require(permit, conn, draft)
    permit.detail = {"property": draft.property, "expression": draft.expression}
    permit.target = draft.thing
    return shown(_told(lambda: calculated.add(conn, draft, permit.principal.id)))


@router.post("/trial")
def try_calculated(permit: Annotated[Permit, allowed("calculated.try")], conn: Database, body: TrialBody) -> TrialModel:
    """What a draft would have given; nothing is stored."""
    for stream in registry.get_datastreams(conn, list(body.inputs.values())).values():
        permit.require(permit.place(stream.thing), "observations.read")
    given = body.model_dump(exclude={"max_age", "start", "end", "limit"})
    draft = Draft(**given, max_age=max(1, round(body.max_age * SECOND)))
    last = to_micros(body.end) if body.end else time.time_ns() // 1000
    first = to_micros(body.start) if body.start else last - 86_400 * SECOND
    if first > last:
        raise Problem("invalid", "the start lies after the end")
    found = _told(lambda: calculated_trial.trial(conn, draft, first, last, body.limit))
    values = [
        TrialValue(time=from_micros(t), result=None if math.isnan(v) else v)
        for t, v in zip(found.times.tolist(), found.values.tolist(), strict=True)
    ]
    return TrialModel(
        unit=found.unit, count=found.count, undefined=found.undefined, looked_at=found.looked_at, values=values
    )


@router.get("/{id}")
def get_calculated(permit: Annotated[Permit, allowed("calculated.read")], conn: Database, id: Id) -> DefinitionModel:
    """One, with its faults."""
    return shown(_one(permit, conn, id))


@router.put("/{id}")
def change_calculated(
    permit: Annotated[Permit, allowed("calculated.manage")], conn: Database, id: Id, body: DraftBody
) -> DefinitionModel:
    """Changes one; its result keeps its Datastream, and all its history is computed anew."""
    _one(permit, conn, id)
    draft = body.draft()
    _require(permit, conn, draft)
    permit.detail = {"id": id, "expression": draft.expression}
    return shown(_told(lambda: calculated.change(conn, id, draft)))


@router.delete("/{id}", status_code=204)
def remove_calculated(permit: Annotated[Permit, allowed("calculated.manage")], conn: Database, id: Id) -> None:
    """Takes one away; what it has computed stays."""
    found = _one(permit, conn, id)
    if found.thing is not None:
        permit.require(permit.place(found.thing))
    permit.detail = {"id": id, "expression": found.expression}
    calculated.remove(conn, id)


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except (ExpressionError, PayloadError) as error:
        raise Problem("invalid", str(error)) from None
