"""Observations as a file."""

import threading
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Filter
from services.errors import ANSWERS, Problem
from services.rfc3339 import Moment
from tram.clock import to_micros
from tram.store import export
from tram.store.database import connect
from tram.store.span import Span

router = APIRouter(prefix="/api", tags=["observations"], responses=ANSWERS)
AT_ONCE = 2
_free = threading.BoundedSemaphore(AT_ONCE)


@router.get("/export", summary="Take Observations out", response_class=StreamingResponse)
def take_out(
    permit: Annotated[Permit, allowed("data.export")],
    database: Database,
    kind: Annotated[Literal["csv", "geojson", "parquet"], Query(alias="format")] = "csv",
    thing: Filter = None,
    property: Filter = None,
    datastream: Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]] | None, Query(max_length=1000)] = None,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="first time no more in it")] = None,
) -> StreamingResponse:
    """Of all Datastreams one may see that fit every condition; streamed. Two at once, more are answered with 503."""
    span = export.select(
        database, ids=datastream, thing=thing, property=property,
        start=None if start is None else to_micros(start), end=None if end is None else to_micros(end),
    )  # fmt: skip
    return answer(permit, span, kind, {"thing": thing, "property": property})


def answer(permit: Permit, span: Span, kind: str, asked: Mapping[str, Any]) -> StreamingResponse:
    """What of a span one may see, as a file. `asked` is for the audit.

    Raises:
        Problem: too many exports are under way.
    """
    span = Span(permit.visible(span.datastreams, lambda row: row.thing), span.start, span.end)
    permit.target, permit.detail = kind, {"datastreams": len(span.datastreams), **asked}
    if not _free.acquire(blocking=False):
        raise Problem("unavailable", f"{AT_ONCE} exports are under way: try again when one is done")
    settings = permit.state.settings

    def pieces() -> Iterator[bytes]:
        try:
            with connect(settings, "export") as conn:
                yield from export.stream(conn, span, kind)
        finally:
            _free.release()

    headers = {"Content-Disposition": f'attachment; filename="observations.{kind}"'}
    # Begun here: what is wrong becomes an answer, and a generator that has begun always comes to its `finally`.
    begun = pieces()
    first = next(begun, b"")
    return StreamingResponse(chain((first,), begun), media_type=export.TYPES[kind], headers=headers)
