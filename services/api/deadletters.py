"""Dead letters: what could not be read or stored."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.api.models import DeadLetter
from services.auth.guard import Permit, allowed
from services.deps import Database, Filter
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.store import deadletters

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"], responses=ANSWERS)
MOST = 2**63 - 1
Reads = Annotated[Permit, allowed("deadletters.read")]


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
