"""What is sensed, in the words of OGC SensorThings 1.1 (18-088). Values only: no I/O, no ids made here.

Times are integers: microseconds since 1970-01-01T00:00:00Z. Locations are WGS 84 degrees (RFC 7946 order: lon, lat).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Micros = int
"""Microseconds since the Unix epoch, UTC."""


class ThingStatus(StrEnum):
    """Where a Thing stands in provisioning: only ACTIVE ones are shown and observed."""

    ACTIVE = "active"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Location:
    """A point: longitude and latitude in degrees (WGS 84), height in metres above the ellipsoid where known."""

    longitude: float
    latitude: float
    height: float | None = None

    def __post_init__(self) -> None:
        if not (-180.0 <= self.longitude <= 180.0 and -90.0 <= self.latitude <= 90.0):
            raise ValueError(f"not a place on Earth: longitude {self.longitude}, latitude {self.latitude}")

    def geojson(self) -> dict[str, Any]:
        """RFC 7946 Point."""
        coordinates = [self.longitude, self.latitude]
        if self.height is not None:
            coordinates.append(self.height)
        return {"type": "Point", "coordinates": coordinates}


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """A phenomenon, with the one unit (UCUM) in which it is stored. See tram.properties for the catalogue.

    Attributes:
        period: seconds from one value to the next where that is known; 0: as devices send it.
        known_after: seconds from a value's phenomenonTime until it can be there: 3600 for an hour that is named by its
            beginning; below zero for a forecast, whose newest value lies so far ahead.
        computed: by a city service, from what others measure: it says nothing of whether the device is heard.
    """

    name: str
    unit: str
    labels: Mapping[str, str] = field(default_factory=dict)
    definition: str = ""
    low: float | None = None
    high: float | None = None
    stuck_after: int = 0
    period: float = 0.0
    known_after: float = 0.0
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Sensor:
    """The procedure or instrument that makes Observations."""

    name: str
    description: str = ""
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class FeatureOfInterest:
    """What is observed. Never a person: a wearable's is a pseudonym that only telehealth/clinical can join."""

    name: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """A device or place in the registry. `name` is what it is called on the wire; `label` what people read."""

    name: str
    label: str = ""
    kind: str = ""
    area: str | None = None
    location: Location | None = None
    status: ThingStatus = ThingStatus.ACTIVE
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Datastream:
    """One property of one Thing over time, in one unit."""

    thing: str
    observed_property: str
    unit: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One stored value. `result` is None when the value is no number: then `result_json` holds it."""

    datastream_id: int
    phenomenon_time: Micros
    result: float | None
    quality: int = 0
    result_json: Any = None
    parameters: Mapping[str, Any] | None = None
