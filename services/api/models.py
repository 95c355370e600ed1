"""The shapes of the API's answers. Times are RFC 3339 in UTC, units UCUM, places RFC 7946."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tram.quality import Quality
from tram.sensing import ThingStatus
from tram.store.deadletters import DeadLetterRow
from tram.store.registry import DatastreamRow, ThingRow
from tram.store.series import Value


def flags(quality: int) -> list[str]:
    """The names of a quality's bits, lower case; none when it is good."""
    return [str(flag.name).lower() for flag in Quality if flag & quality]


class Thing(BaseModel):
    """A device or place."""

    name: str = Field(examples=["aq-01"])
    label: str
    kind: str
    status: ThingStatus
    area: str | None
    location: dict[str, Any] | None = Field(
        description="GeoJSON Point", examples=[{"type": "Point", "coordinates": [105.84, 21.59]}]
    )
    properties: dict[str, Any]
    created: datetime
    seen: datetime | None = Field(description="when it was last heard of")
    datastreams: int

    @classmethod
    def of(cls, row: ThingRow) -> "Thing":
        """From the store."""
        return cls(
            name=row.name, label=row.label, kind=row.kind, status=row.status, area=row.area,
            location=row.location.geojson() if row.location else None, properties=dict(row.properties),
            created=row.created, seen=row.seen, datastreams=row.datastreams,
        )  # fmt: skip


class Pending(BaseModel):
    """A Thing that waits for an operator, and what waits with it."""

    name: str
    created: datetime
    seen: datetime | None
    waiting: int = Field(description="messages held for it")
    dropped: int = Field(description="messages that were too many to hold: the oldest went")

    @classmethod
    def of(cls, row: ThingRow) -> "Pending":
        """From the store."""
        return cls(name=row.name, created=row.created, seen=row.seen, waiting=row.waiting, dropped=row.dropped)


class Datastream(BaseModel):
    """One property of one Thing over time, in one unit."""

    id: int
    thing: str
    property: str = Field(examples=["pm2_5"])
    labels: dict[str, str] = Field(examples=[{"vi": "Bụi PM2.5", "en": "PM2.5"}])
    unit: str = Field(description="UCUM", examples=["ug/m3"])

    @classmethod
    def of(cls, row: DatastreamRow) -> "Datastream":
        """From the store."""
        return cls(id=row.id, thing=row.thing, property=row.property, labels=dict(row.labels), unit=row.unit)


class ThingWithDatastreams(Thing):
    """A Thing and what it observes."""

    streams: list[Datastream]


class Reading(BaseModel):
    """A value with the names a person needs."""

    datastream: int
    thing: str
    label: str
    property: str
    unit: str = Field(description="UCUM", examples=["ug/m3"])
    time: datetime = Field(description="phenomenonTime")
    result: float | None = Field(description="null when the value is no number: see `value`")
    value: Any = Field(default=None, description="a value that is no number")
    quality: int = Field(description="0 is good")
    flags: list[str] = Field(description="the names of the quality's bits", examples=[["late"]])

    @classmethod
    def of(cls, row: Value) -> "Reading":
        """From the store."""
        return cls(
            datastream=row.datastream_id, thing=row.thing, label=row.thing_label, property=row.property, unit=row.unit,
            time=row.time, result=row.result, value=row.result_json, quality=row.quality, flags=flags(row.quality),
        )  # fmt: skip


class Point(BaseModel):
    """One value of a series."""

    time: datetime
    result: float | None
    value: Any = None
    quality: int


class Bucket(BaseModel):
    """The numbers of one stretch of time."""

    time: datetime = Field(description="its start")
    n: int = Field(description="numbers in it")
    good: float = Field(description="the share of them that is plainly good, 0 to 1")
    mean: float | None
    min: float
    max: float
    first: float
    last: float


class Series(BaseModel):
    """A stretch of a Datastream, oldest first: values, or buckets of values."""

    datastream: Datastream
    start: datetime
    end: datetime
    items: list[Point]
    next: str | None
    used: str = Field(default="raw", description="what was read: raw, 1m, 1h or 1d")
    bucket_seconds: int | None = Field(default=None, description="of a bucket; one that is missing is a gap")
    thinned: bool = Field(default=False, description="values were left out that a plot does not miss (LTTB)")
    buckets: list[Bucket] | None = Field(default=None, description="instead of `items`, unless `used` is raw")


class DeadLetter(BaseModel):
    """What could not be read or stored, and why."""

    id: int
    at: datetime
    received: datetime
    topic: str
    reason: str = Field(description="a stable code", examples=["nan"])
    detail: str
    payload: str = Field(description="the start of the payload as text; bytes that are no UTF-8 show as U+FFFD")
    size: int = Field(description="bytes of the whole payload")
    whole: bool = Field(description="whether all of it was kept, so that it can be read once more")
    asked: datetime | None = Field(description="when somebody asked to have it read once more")
    settled: datetime | None = Field(description="when that was done")
    outcome: str = Field(description="of that: stored, held, still-bad, cut or nothing; empty before")
    stored: int = Field(description="observations that it gave after all")

    @classmethod
    def of(cls, row: DeadLetterRow, shown: int = 512) -> "DeadLetter":
        """From the store, with the first `shown` bytes of the payload."""
        return cls(
            id=row.id, at=row.at, received=row.received, topic=row.topic, reason=row.reason, detail=row.detail,
            payload=row.payload[:shown].decode("utf-8", "replace"), size=row.payload_size, whole=row.whole,
            asked=row.asked, settled=row.settled, outcome=row.outcome, stored=row.stored,
        )  # fmt: skip
