"""/api/status and /api/overview: what the first page shows."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

import tram
from services.auth.guard import Permit, allowed
from services.deps import Database as Connected
from services.deps import Shared
from services.errors import ANSWERS, Problem
from services.overview import Snapshot
from tram.store import registry
from tram.store.processes import ProcessRow

router = APIRouter(prefix="/api", tags=["status"], responses=ANSWERS)

GONE_SECONDS = 10.0
"""A process beats every 2 s: after this it is gone, or its machine is."""


class Database(BaseModel):
    """The database."""

    edition: str = Field(description="community, apache (both TimescaleDB) or plain", examples=["community"])
    version: str = Field(description="of PostgreSQL", examples=["16.14"])
    size: int = Field(description="bytes on its disk")


class CountsOut(BaseModel):
    """How much there is."""

    observations: int
    exact: bool = Field(description="false while the one count at the start is under way: an estimate")
    things: int
    datastreams: int
    pending: int = Field(description="Things that wait to be accepted")
    dead_letters: int


class Rate(BaseModel):
    """Observations stored a second."""

    now: float = Field(description="mean of the last ten whole seconds")
    until: datetime = Field(description="end of the last second of `per_second`")
    per_second: list[int] = Field(description="the last 120 whole seconds, oldest first")


class ProcessOut(BaseModel):
    """A process, as it last reported itself."""

    name: str
    host: str
    pid: int
    version: str
    state: str = Field(description="starting, ready, degraded, stopping, stopped; gone when it fell silent")
    started: datetime
    seen: datetime
    age: float = Field(description="seconds since it was last heard of")
    detail: dict[str, Any] = Field(description="its own counters and reasons")

    @classmethod
    def of(cls, row: ProcessRow) -> "ProcessOut":
        """From the store; one that fell silent without a word is gone, whatever it said last."""
        gone = row.age > GONE_SECONDS and row.state != "stopped"
        return cls(
            name=row.name, host=row.host, pid=row.pid, version=row.version, state="gone" if gone else row.state,
            started=row.started, seen=row.seen, age=round(max(0.0, row.age), 1), detail=dict(row.detail),
        )  # fmt: skip


class Status(BaseModel):
    """The whole system at a moment."""

    at: datetime
    version: str
    environment: str
    database: Database
    counts: CountsOut
    rate: Rate
    last_commit: datetime | None = Field(description="when Observations were last stored")
    lag: float | None = Field(description="seconds since then")
    gateway: dict[str, Any] = Field(description="the gateways' counters, summed")
    processes: list[ProcessOut]


@router.get("/status", summary="The whole system at a glance")
def status(permit: Annotated[Permit, allowed("system.read")], shared: Shared) -> Status:
    """Edition, counts, rate, and the state of every process. At most half a second old."""
    snapshot = shared.overview.snapshot()
    counts = snapshot.counts
    return Status(
        at=_moment(snapshot.at),
        version=tram.__version__,
        environment=shared.settings.environment,
        database=Database(
            edition=snapshot.server.edition, version=snapshot.server.version, size=snapshot.server.size
        ),
        counts=CountsOut(
            observations=snapshot.observations, exact=snapshot.exact, things=counts.things,
            datastreams=counts.datastreams, pending=counts.pending, dead_letters=counts.dead_letters,
        ),
        rate=Rate(
            now=snapshot.rates.now, until=_moment(snapshot.rates.until), per_second=snapshot.rates.per_second
        ),
        last_commit=None if snapshot.last_commit is None else _moment(snapshot.last_commit),
        lag=None if snapshot.last_commit is None else round(max(0.0, snapshot.at - snapshot.last_commit), 3),
        gateway=gateway_counters(snapshot),
        processes=[ProcessOut.of(row) for row in snapshot.processes],
    )  # fmt: skip


class PropertyOut(BaseModel):
    """The latest values of a property over the whole province."""

    property: str
    labels: dict[str, str]
    unit: str
    datastreams: int
    period: float | None = Field(description="seconds from one value to the next; null: nobody said")
    fresh_for: float = Field(description="seconds from its time for which a value counts as new", examples=[9000])
    computed: bool = Field(description="by a city service, not by a device")
    fresh: int = Field(description="of them with a value that is new by that measure")
    suspect: int = Field(description="of them whose latest value is not good: left out of what follows")
    low: float | None
    middle: float | None = Field(description="median")
    high: float | None
    histogram: list[int] = Field(description="their number in equal steps from low to high")


class PlaceOut(BaseModel):
    """A Thing on the map."""

    thing: str
    longitude: float
    latitude: float
    state: str = Field(description="live, late (no value that is new by its property's measure) or never")


class OverviewOut(BaseModel):
    """What is measured, and where."""

    properties: list[PropertyOut]
    places: list[PlaceOut]


@router.get("/overview", summary="What is measured, and where")
def overview(permit: Annotated[Permit, allowed("overview.read")], shared: Shared) -> OverviewOut:
    """From the latest value of at most 10,000 Datastreams. At most four seconds old."""
    province = shared.overview.province()
    return OverviewOut(
        properties=[PropertyOut.model_validate(p, from_attributes=True) for p in province.properties],
        places=[PlaceOut.model_validate(p, from_attributes=True) for p in province.places],
    )


class Trend(BaseModel):
    """The last values of a Datastream, oldest first."""

    datastream: int
    results: list[float | None]


@router.get("/trends", summary="The last values of some Datastreams")
def trends(
    permit: Annotated[Permit, allowed("observations.read")],
    shared: Shared,
    database: Connected,
    id: Annotated[list[int], Query(min_length=1, max_length=50, description="Datastreams")],
    hourly: Annotated[bool, Query(description="means of each of the last 24 hours, null where none")] = False,
) -> list[Trend]:
    """At most 40 values of the last day of each, for small plots; or, `hourly`, exactly 24 means."""
    if not all(0 < one < 2**31 for one in id):
        raise Problem("invalid", "id: a Datastream's id is a positive whole number below 2147483648")
    things = {i: row.thing for i, row in registry.get_datastreams(database, id).items()}
    ask = shared.overview.hourly if hourly else shared.overview.trends
    shown = ask(permit.visible([i for i in id if i in things], lambda i: things[i]))
    return [Trend(datastream=i, results=shown.get(i, [])) for i in dict.fromkeys(id)]


def gateway_counters(snapshot: Snapshot) -> dict[str, Any]:
    """The numbers that living gateways report, summed over them."""
    total: dict[str, Any] = {}
    for row in snapshot.processes:
        if row.name.startswith("gateway") and row.age <= GONE_SECONDS:
            for name, value in row.detail.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    total[name] = total.get(name, 0) + value
    return total


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
