"""Answers of many rows, encoded by msgspec without a pydantic model for each.

The Structs have the fields of the models of the same names in services.api.models: those are what OpenAPI says, and a
test holds the two together (tests/services/test_wire.py). 5,000 values take 5 ms so, instead of 40.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from fastapi import Response

from services.api import models
from tram.clock import SECOND, from_micros
from tram.sensing import Observation
from tram.store import aggregate
from tram.store.history import History
from tram.store.series import Value

_encoder = msgspec.json.Encoder()
_flags = lru_cache(1024)(models.flags)  # a quality has 16 bits, and few of them ever stand together


class Reading(msgspec.Struct, frozen=True, gc=False):
    """models.Reading."""

    datastream: int
    thing: str
    label: str
    property: str
    unit: str
    time: datetime
    result: float | None
    value: Any
    quality: int
    flags: list[str]


class Point(msgspec.Struct, frozen=True, gc=False):
    """models.Point."""

    time: datetime
    result: float | None
    value: Any
    quality: int


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """models.Bucket."""

    time: datetime
    n: int
    good: float
    mean: float | None
    min: float
    max: float
    first: float
    last: float


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """models.Series."""

    datastream: dict[str, Any]
    start: datetime
    end: datetime
    items: Sequence[Point] = ()
    next: str | None = None
    used: str = "raw"
    bucket_seconds: int | None = None
    thinned: bool = False
    buckets: Sequence[Bucket] | None = None


def readings(rows: Iterable[Value], next: str | None) -> Response:
    """models.Page of models.Reading."""
    items = [
        Reading(
            row.datastream_id, row.thing, row.thing_label, row.property, row.unit, row.time, row.result,
            row.result_json, row.quality, _flags(row.quality),
        )
        for row in rows
    ]  # fmt: skip
    return _json({"items": items, "next": next})


def series(
    datastream: models.Datastream, start: datetime, end: datetime, rows: Iterable[Observation], next: str | None
) -> Response:
    """models.Series of values."""
    items = [Point(from_micros(row.phenomenon_time), row.result, row.result_json, row.quality) for row in rows]
    return _json(Series(datastream=datastream.model_dump(), start=start, end=end, items=items, next=next))


def plot(datastream: models.Datastream, start: datetime, end: datetime, found: History) -> Response:
    """models.Series of what a plot is drawn from: values, or buckets of them."""
    items: list[Point] = []
    buckets: list[Bucket] | None = None
    if found.raw is not None:
        columns = (found.raw[name].tolist() for name in ("time", "result", "quality"))
        items = [Point(from_micros(time), result, None, bits) for time, result, bits in zip(*columns, strict=True)]
    if found.buckets is not None:
        rows = found.buckets
        shares = (rows["good"] / rows["n"]).tolist()
        means = aggregate.means(rows).tolist()  # NaN, where there is none, is null in JSON
        columns = (rows[name].tolist() for name in ("bucket", "n", "min", "max", "first", "last"))
        buckets = [
            Bucket(from_micros(time), n, good, mean, low, high, first, last)
            for good, mean, time, n, low, high, first, last in zip(shares, means, *columns, strict=True)
        ]
    return _json(
        Series(
            datastream=datastream.model_dump(), start=start, end=end, items=items, used=found.used,
            bucket_seconds=found.width // SECOND or None, thinned=found.thinned, buckets=buckets,
        )
    )  # fmt: skip


def _json(answer: object) -> Response:
    return Response(_encoder.encode(answer), media_type="application/json")
