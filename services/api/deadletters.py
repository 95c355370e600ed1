"""Dead letters: what could not be read or stored."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.api.models import DeadLetter
from services.auth.guard import Permit, allowed
from services.deps import Database, Filter
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.store import deadletters

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"], responses=ANSWERS)
MOST = 2**63 - 1
Reads = Annotated[Permit, allowed("deadletters.read")]
LetterId = Annotated[int, Field(ge=1, le=MOST)]


class Wanted(BaseModel):
    """Which dead letters."""

    ids: Annotated[list[LetterId], Field(min_length=1, max_length=500)]


class AskedOut(BaseModel):
    """What became of the wish."""

    waiting: int = Field(description="the gateway reads them within seconds; `outcome` of each says what came of it")
    stored: int = Field(description="stored by an earlier reading: left alone")
    missing: int = Field(description="there is no such letter any more")


@router.post("/redecode", summary="Read dead letters once more", status_code=202)
def redecode(permit: Annotated[Permit, allowed("deadletters.redecode")], database: Database, body: Wanted) -> AskedOut:
    """After what was wrong with them was mended: a format, a Thing that was refused. By the gateway, on the usual path,
    at the times they state or were received; doing it twice stores nothing twice."""
    asked = deadletters.ask(database, body.ids, permit.principal.id)
    permit.target = "dead letters"
    permit.detail = {"ids": sorted(set(body.ids))[:100], "waiting": asked.waiting}
    return AskedOut(waiting=asked.waiting, stored=asked.stored, missing=asked.missing)


@router.get("", summary="Dead letters, newest first")
def list_dead_letters(
    permit: Reads, database: Database, reason: Filter = None, limit: Limit = LIMIT, cursor: Cursor = None
) -> Page[DeadLetter]:
    """Each with its reason and the start of its payload."""
    before = decode(cursor, tuple[int])
    if before and not 0 < before[0] <= MOST:
        raise Problem("cursor", "start again without a cursor")
    rows = deadletters.list_newest(database, before=before[0] if before else None, limit=limit + 1, reason=reason)
    more = len(rows) > limit
    return page([DeadLetter.of(row) for row in rows[:limit]], limit, (rows[limit - 1].id,) if more else None)


@router.get("/{id}", summary="One dead letter")
def get_dead_letter(permit: Reads, database: Database, id: Annotated[int, Path(ge=1, le=MOST)]) -> DeadLetter:
    """With all of its payload that was kept (16 KiB)."""
    return DeadLetter.of(deadletters.get(database, id), shown=deadletters.PAYLOAD_KEPT)
