"""What was observed: latest values, the newest rows, series."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.api import wire
from services.api.models import Datastream, Reading, Series
from services.auth.guard import Permit, allowed
from services.deps import Database, Id, Shared
from services.errors import ANSWERS, Problem
from services.overview import NEWEST
from services.paging import Cursor, Page, decode, encode
from services.rfc3339 import Moment
from tram.clock import to_micros
from tram.errors import NotFoundError
from tram.store import registry, series
from tram.store.history import history

router = APIRouter(prefix="/api", tags=["observations"], responses=ANSWERS)
DAY = timedelta(days=1)
Reads = Annotated[Permit, allowed("observations.read")]


@router.get("/latest", summary="The latest value of every Datastream", response_model=Page[Reading])
def latest(
    permit: Reads,
    database: Database,
    limit: Annotated[int, Query(ge=1, le=10_000, description="most items of the page")] = 1000,
    cursor: Cursor = None,
    at: Annotated[Moment | None, Query(description="as it was then; now without it")] = None,
) -> Response:
    """By Datastream; those that have none yet are left out, so a page may be short: walk on while there is a `next`."""
    after = decode(cursor, tuple[int])
    first = _id(after[0]) if after else 0
    if at is None:
        rows = series.latest(database, after=first, limit=limit)
    else:
        rows = series.latest_at(database, at, after=first, limit=limit)
    shown = permit.visible(rows, lambda row: row.thing)
    return wire.readings(shown, encode((rows[-1].datastream_id,)) if rows else None)


@router.get("/observations/newest", summary="What was stored last")
def newest(permit: Reads, shared: Shared, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[Reading]:
    """Across everything one may see, newest first. At most half a second old."""
    return [Reading.of(row) for row in permit.visible(shared.overview.newest(NEWEST), lambda row: row.thing)[:limit]]


@router.get("/datastreams/{id}", summary="A Datastream")
def datastream(permit: Annotated[Permit, allowed("things.read")], database: Database, id: Id) -> Datastream:
    """Its Thing, property and unit."""
    return _datastream(permit, database, id)


@router.get("/datastreams/{id}/series", summary="A Datastream over time", response_model=Series)
def get_series(
    permit: Reads,
    database: Database,
    id: Id,
    start: Annotated[Moment | None, Query(alias="from", description="first time; a day before `to` without it")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="first time no more in it; now without it")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    cursor: Cursor = None,
    width: Annotated[
        int | None, Query(ge=10, le=10_000, description="for a plot so many points wide: raw or a rollup, as it fits")
    ] = None,
    level: Annotated[
        Literal["raw", "1m", "1h", "1d"] | None, Query(description="exactly these buckets, at most 50,000")
    ] = None,
) -> Response:
    """Values from `from` up to, not including, `to`, oldest first. Times need their offset (+ is %2B in a URL).

    With `width` or `level` the answer is one page of numbers, and `used` says what was read.
    """
    after = decode(cursor, tuple[int])
    last = end or datetime.now(UTC)
    first = start or last - DAY
    if first > last:
        raise Problem("invalid", "`from` is after `to`")
    found = _datastream(permit, database, id)
    if width is not None or level is not None:
        offset = permit.state.settings.utc_offset
        span = to_micros(first), to_micros(last)
        drawn = history(database, id, *span, points=width or 1000, level=level, utc_offset=offset)
        return wire.plot(found, first, last, drawn)
    if after is not None and not to_micros(first) <= after[0] < to_micros(last):
        raise Problem("cursor", "it belongs to another stretch of time")
    rows = series.series(
        database, id, to_micros(first), to_micros(last), limit=limit + 1, after=after[0] if after else None
    )
    more = len(rows) > limit
    following = encode((rows[limit - 1].phenomenon_time,)) if more else None
    return wire.series(found, first, last, rows[:limit], following)


def _datastream(permit: Permit, database: Database, id: int) -> Datastream:
    found = registry.get_datastreams(database, [id])
    if id not in found:
        raise NotFoundError(f"there is no Datastream {id}")
    permit.require(permit.place(found[id].thing))
    return Datastream.of(found[id])


def _id(value: int) -> int:
    if not 0 <= value < 2**31:
        raise Problem("cursor", "start again without a cursor")
    return value
