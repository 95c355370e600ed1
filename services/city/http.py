"""The endpoints that every city service has: history, the same day a week before, and taking data out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from services.api import export as files
from services.api import wire
from services.api.models import Datastream, Series
from services.auth.guard import Permit, allowed
from services.city.inputs import QUERIES
from services.deps import Database, ThingName
from services.errors import ANSWERS, Problem
from services.rfc3339 import Moment
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError
from tram.store import aggregate, export, registry
from tram.store.database import Connection
from tram.store.history import history

Reads = Annotated[Permit, allowed("observations.read")]
Open = Annotated[Permit, allowed("open.read")]
Exports = Annotated[Permit, allowed("data.export")]
COMMON = frozenset({"observations.read", "data.export"})
"""Operations of the endpoints below."""
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Hour(BaseModel):
    """One hour of a day and of the day a week before; null where there is nothing."""

    time: datetime = Field(examples=["2026-10-08T07:00:00Z"])
    mean: float | None = Field(examples=[62.0])
    before: float | None = Field(examples=[48.0])


class Comparison(BaseModel):
    """A day beside the same day of the week before, hour by hour."""

    datastream: Datastream
    start: datetime
    hours: list[Hour]
    change: float | None = Field(description="mean of the differences of hours that both have", examples=[14.0])


def endpoints(name: str, label: str, inputs: Sequence[str], own: Mapping[str, Any]) -> APIRouter:
    """A router below /api/{name} with the common endpoints; the service adds its own to it.

    Args:
        label: tag in the OpenAPI document.
        inputs: measured properties that are the service's matter; `own`: those it computes.
    """
    router = APIRouter(prefix=f"/api/{name}", tags=[label], responses=ANSWERS)
    first = next(iter(own))
    shown = Annotated[str, Query(max_length=200, description="one of " + ", ".join([*own, *inputs]), examples=[first])]

    @router.get(
        "/things/{name:path}/history", summary="One property of a Thing over time", operation_id=f"{name}-history",
        response_model=Series,
    )  # fmt: skip
    def thing_history(
        permit: Reads,
        database: Database,
        name: ThingName,
        property: shown = first,
        start: Annotated[Moment | None, Query(alias="from", description="a day before `to` without it")] = None,
        end: Annotated[Moment | None, Query(alias="to", description="now without it")] = None,
        width: Annotated[int, Query(ge=10, le=10_000, description="points, about")] = 1000,
    ) -> Response:
        """Measured or computed; raw or the rollup that fits."""
        last = end or datetime.now(UTC)
        begin = start or last - DAY
        if begin > last:
            raise Problem("invalid", "`from` is after `to`")
        found = _datastream(permit, database, name, property)
        offset = permit.state.settings.utc_offset
        drawn = history(database, found.id, to_micros(begin), to_micros(last), points=width, utc_offset=offset)
        return wire.plot(found, begin, last, drawn)

    @router.get(
        "/things/{name:path}/compare", summary="A day and the same day last week", operation_id=f"{name}-compare"
    )
    def compare(
        permit: Reads,
        database: Database,
        name: ThingName,
        property: shown = first,
        start: Annotated[Moment | None, Query(alias="from", description="the last 24 hours without it")] = None,
    ) -> Comparison:
        """24 hours from `from`, and the 24 hours seven days before."""
        begin = start or datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - DAY + timedelta(hours=1)
        found = _datastream(permit, database, name, property)
        now, before = (_hours(database, found.id, at, permit) for at in (begin, begin - WEEK))
        shift = to_micros(begin) - to_micros(begin - WEEK)
        times = sorted({*now, *(time + shift for time in before)})
        hours = [Hour(time=from_micros(t), mean=now.get(t), before=before.get(t - shift)) for t in times]
        both = [hour.mean - hour.before for hour in hours if hour.mean is not None and hour.before is not None]
        return Comparison(
            datastream=found, start=begin, hours=hours, change=round(sum(both) / len(both), 3) if both else None
        )

    @router.get(
        "/export",
        summary="Take the service's data out",
        response_class=StreamingResponse,
        operation_id=f"{name}-export",
    )
    def take_out(
        permit: Exports,
        database: Database,
        property: shown = first,
        kind: Annotated[Literal["csv", "geojson", "parquet"], Query(alias="format")] = "csv",
        start: Annotated[Moment | None, Query(alias="from")] = None,
        end: Annotated[Moment | None, Query(alias="to", description="first time no more in it")] = None,
    ) -> StreamingResponse:
        """Of all Things one may see; streamed."""
        _known(property)
        ids = [row[0] for row in database.execute(QUERIES["datastreams_of"], _of(property))]
        span = export.select(
            database, ids=ids, start=None if start is None else to_micros(start),
            end=None if end is None else to_micros(end),
        )  # fmt: skip
        return files.answer(permit, span, kind, {"domain": name, "property": property})

    domain = name

    def _of(property: str) -> dict[str, Any]:
        return {"properties": [property], "channels": [domain] if property in own else [""]}

    def _known(property: str) -> None:
        if property not in own and property not in inputs:
            raise Problem("invalid", f"`property` is one of {', '.join([*own, *inputs])}")

    def _datastream(permit: Permit, conn: Connection, name: str, property: str) -> Datastream:
        _known(property)
        thing = registry.get_thing(conn, name)
        permit.require(permit.place(thing.name))
        arguments = {"thing": thing.id, "property": property, "channels": _of(property)["channels"]}
        row = conn.execute(QUERIES["datastream_of"], arguments).fetchone()
        if row is None:
            raise NotFoundError(f"{name!r} has no {property}")
        return Datastream.of(registry.get_datastreams(conn, [row[0]])[row[0]])

    return router


def _hours(conn: Connection, id: int, start: datetime, permit: Permit) -> dict[int, float]:
    drawn = history(
        conn, id, to_micros(start), to_micros(start + DAY), level="1h", utc_offset=permit.state.settings.utc_offset
    )
    if drawn.buckets is None:
        return {}
    means = aggregate.means(drawn.buckets).tolist()
    return {t: m for t, m in zip(drawn.buckets["bucket"].tolist(), means, strict=True) if m == m}
