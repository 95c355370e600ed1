"""What services ask of the store for their answers: Things of theirs, and the latest of what they computed."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.city.inputs import QUERIES
from tram.errors import NotFoundError
from tram.sensing import Micros
from tram.store.database import Connection, available


def now() -> Micros:
    """The server's clock."""
    return time.time_ns() // 1000


def finite(value: float | None, digits: int = 3) -> float | None:
    """For an answer: rounded, null for what is no number."""
    return round(float(value), digits) if value is not None and math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Place:
    """A Thing of a service; `longitude` and `latitude` are None where nobody said."""

    id: int
    name: str
    label: str
    kind: str
    area: str | None
    longitude: float | None
    latitude: float | None
    properties: Mapping[str, Any]

    def geojson(self) -> dict[str, Any] | None:
        """RFC 7946 Point."""
        if self.longitude is None or self.latitude is None:
            return None
        return {"type": "Point", "coordinates": [self.longitude, self.latitude]}


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of a Datastream."""

    time: datetime
    value: float | None
    parameters: Mapping[str, Any]


def places(conn: Connection, properties: Sequence[str], channel: str = "") -> list[Place]:
    """Active Things with a Datastream of one of these properties, by name."""
    with available():
        rows = conn.execute(QUERIES["things_with"], {"properties": list(properties), "channels": [channel]}).fetchall()
    return [Place(*row) for row in rows]


def place(conn: Connection, name: str, properties: Sequence[str], channel: str = "") -> Place:
    """One of them. Raises NotFoundError."""
    for one in places(conn, properties, channel):
        if one.name == name:
            return one
    raise NotFoundError(f"{name!r} is not one of these: it has no {' or '.join(properties)}")


def latest(
    conn: Connection, channel: str, properties: Sequence[str], since: datetime, things: Sequence[int] | None = None
) -> dict[tuple[int, str], Latest]:
    """(Thing, property) -> the newest value of a service's Datastreams that is not older than `since`."""
    arguments = {"properties": list(properties), "channel": channel, "since": since,
                 "things": None if things is None else list(things)}  # fmt: skip
    with available():
        rows = conn.execute(QUERIES["latest_of"], arguments).fetchall()
    return {(thing, name): Latest(time, value, told or {}) for thing, name, time, value, told in rows}


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area, and the id of the Thing that stands for it (None: nothing was computed of it yet)."""

    code: str
    name: str
    leaf: bool
    thing: int | None
    longitude: float | None
    latitude: float | None


def areas(conn: Connection) -> list[AreaRow]:
    """All areas by code."""
    with available():
        return [AreaRow(*row) for row in conn.execute(QUERIES["area_things"])]
