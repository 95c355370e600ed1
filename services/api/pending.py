"""Things that wait to be accepted, and what an operator decides."""

from typing import Annotated

from fastapi import APIRouter, Header

from services.api.models import Pending, Thing
from services.auth.guard import Permit, allowed
from services.deps import Database, ThingName
from services.errors import ANSWERS
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.sensing import ThingStatus
from tram.store import registry

router = APIRouter(prefix="/api/pending", tags=["pending"], responses=ANSWERS)

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=255, description="may be sent; saying the same twice changes nothing"),
]


Decides = Annotated[Permit, allowed("pending.decide")]


@router.get("", summary="Things that wait to be accepted")
def list_pending(
    permit: Annotated[Permit, allowed("pending.read")], database: Database, limit: Limit = LIMIT, cursor: Cursor = None
) -> Page[Pending]:
    """Their messages are held, not lost, up to `TRAM_PENDING_MESSAGES` each."""
    after = decode(cursor, tuple[str])
    rows = registry.list_things(database, status=ThingStatus.PENDING, after=after[0] if after else "", limit=limit + 1)
    more = len(rows) > limit
    return page(
        [Pending.of(row) for row in permit.visible(rows[:limit], lambda row: row.name)],
        limit,
        (rows[limit - 1].name,) if more else None,
    )


@router.post("/{name:path}/accept", summary="Accept a Thing")
def accept(permit: Decides, database: Database, name: ThingName, key: Key = None) -> Thing:
    """It becomes active, and its waiting messages are stored. Accepting it again changes nothing."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    return Thing.of(registry.accept(database, thing.id))


@router.post("/{name:path}/refuse", summary="Refuse a Thing")
def refuse(permit: Decides, database: Database, name: ThingName, key: Key = None) -> Thing:
    """Its waiting messages are deleted and new ones are not stored. Refusing it again changes nothing."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    return Thing.of(registry.refuse(database, thing.id))
