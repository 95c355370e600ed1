"""Whom an alarm can be given to: ids and names of those who may act on it, and nothing else of anybody."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.alarms import AlarmId, Reading, path_of, reached, wanted
from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS, Problem
from services.paging import Cursor, Page, decode, page
from tram.store import assignees

router = APIRouter(prefix="/api/alarms", tags=["alarms"], responses=ANSWERS)
Few = Annotated[int, Query(ge=1, le=100, description="most items of the page")]
Begins = Annotated[Text, Query(max_length=80, description="the beginning of the name, or of a word of it, in any case")]


class AssigneeOut(BaseModel):
    """Somebody an alarm can be given to."""

    id: str = Field(description="what `assign` takes", examples=["p:12"])
    name: str

    @classmethod
    def of(cls, row: assignees.Assignee) -> Self:
        """From the store."""
        return cls(id=row.id, name=row.name)


@router.get("/assigned", summary="The names of those who have alarms that stand")
def list_assigned(permit: Reading, database: Database) -> list[AssigneeOut]:
    """Of the alarms that whoever asks may see; `assignee` of an alarm is the id."""
    return [AssigneeOut.of(row) for row in assignees.holders(database, wanted(permit).seen)]


@router.get("/{id}/assignees", summary="Whom an alarm can be given to")
def list_assignees(
    permit: Annotated[Permit, allowed("alarms.assignees")], database: Database, id: AlarmId, search: Begins = "",
    limit: Few = 20, cursor: Cursor = None,
) -> Page[AssigneeOut]:  # fmt: skip
    """Those who may act on alarms in its area, by name."""
    path = path_of(permit, database, reached(permit, database, id))
    after = decode(cursor, tuple[str, int]) or ("", 0)
    if not 0 <= after[1] < 2**31:
        raise Problem("cursor", "start again without a cursor")
    rows = assignees.able(database, path, search=search, after=after, limit=limit + 1)
    key = (rows[limit - 1].name, rows[limit - 1].account) if len(rows) > limit else None
    return page([AssigneeOut.of(row) for row in rows[:limit]], limit, key)
