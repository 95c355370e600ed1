"""Things and what they observe."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.models import Datastream, Reading, Thing, ThingWithDatastreams
from services.auth.guard import Permit, allowed
from services.deps import Database, Filter, Search, ThingName
from services.errors import ANSWERS
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.sensing import ThingStatus
from tram.store import registry, series

router = APIRouter(prefix="/api", tags=["things"], responses=ANSWERS)
MOST_DATASTREAMS = 1000
Reads = Annotated[Permit, allowed("things.read")]


@router.get("/things", summary="Things by name")
def list_things(
    permit: Reads,
    database: Database,
    q: Search = "",
    kind: Filter = None,
    area: Filter = None,
    status: Annotated[ThingStatus | None, Query(description="only those in this state; without it, all")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[Thing]:
    """Every Thing the registry knows, in the order of its name. Filters add up."""
    after = decode(cursor, tuple[str])
    rows = registry.list_things(
        database, status=status, kind=kind, area=area, search=q, after=after[0] if after else "", limit=limit + 1
    )
    more = len(rows) > limit
    return page(
        [Thing.of(row) for row in permit.visible(rows[:limit], lambda row: row.name)],
        limit,
        (rows[limit - 1].name,) if more else None,
    )


@router.get("/things/{name:path}/latest", summary="The latest values of a Thing")
def thing_latest(
    permit: Annotated[Permit, allowed("observations.read")], database: Database, name: ThingName
) -> list[Reading]:
    """The latest value of each of its Datastreams; those that have none yet are left out."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    return [Reading.of(row) for row in series.latest(database, thing_id=thing.id, limit=MOST_DATASTREAMS)]


@router.get("/things/{name:path}", summary="A Thing and its Datastreams")
def get_thing(permit: Reads, database: Database, name: ThingName) -> ThingWithDatastreams:
    """By the name it has on the wire."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    streams = registry.list_datastreams(database, thing_id=thing.id, limit=MOST_DATASTREAMS)
    return ThingWithDatastreams(**dict(Thing.of(thing)), streams=[Datastream.of(row) for row in streams])
