"""Things that wait to be accepted, and what an operator decides."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from services.api.models import Pending, Thing
from services.deps import Database, ThingName, allow
from services.errors import ANSWERS
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.sensing import ThingStatus
from tram.store import registry

router = APIRouter(prefix="/api/pending", tags=["pending"], dependencies=[Depends(allow)], responses=ANSWERS)

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=255, description="may be sent; saying the same twice changes nothing"),
]


@router.get("", summary="Things that wait to be accepted")
def list_pending(database: Database, limit: Limit = LIMIT, cursor: Cursor = None) -> Page[Pending]:
    """Their messages are held, not lost, up to `TRAM_PENDING_MESSAGES` each."""
    after = decode(cursor, tuple[str])
    rows = registry.list_things(database, status=ThingStatus.PENDING, after=after[0] if after else "", limit=limit + 1)
    more = len(rows) > limit
    return page([Pending.of(row) for row in rows[:limit]], limit, (rows[limit - 1].name,) if more else None)


@router.post("/{name:path}/accept", summary="Accept a Thing")
def accept(database: Database, name: ThingName, key: Key = None) -> Thing:
    """It becomes active, and its waiting messages are stored. Accepting it again changes nothing."""
    return Thing.of(registry.accept(database, registry.get_thing(database, name).id))


@router.post("/{name:path}/refuse", summary="Refuse a Thing")
def refuse(database: Database, name: ThingName, key: Key = None) -> Thing:
    """Its waiting messages are deleted and new ones are not stored. Refusing it again changes nothing."""
    return Thing.of(registry.refuse(database, registry.get_thing(database, name).id))
