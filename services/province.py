"""What is measured where: the latest values summed up by property, and the Things on the map. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from tram.properties import known
from tram.quality import SUSPECT
from tram.store.series import Value

FRESH_SECONDS = 15 * 60
"""A latest value older than this is no longer live: the longest usual period of a station, and half of it again."""
BINS = 32


@dataclass(frozen=True, slots=True)
class PropertySummary:
    """The latest values of one property and unit over the province.

    `histogram` counts them in BINS equal steps from `low` to `high` (their least and greatest).
    """

    property: str
    labels: dict[str, str]
    unit: str
    datastreams: int
    fresh: int
    suspect: int
    low: float | None
    middle: float | None
    high: float | None
    histogram: list[int]


@dataclass(frozen=True, slots=True)
class Place:
    """A Thing on the map: degrees (WGS 84), and whether it is "live", "late" or has "never" sent a value."""

    thing: str
    longitude: float
    latitude: float
    state: str


@dataclass(frozen=True, slots=True)
class Province:
    """The summary. Properties with the most Datastreams come first."""

    properties: list[PropertySummary]
    places: list[Place]


def summarise(values: Sequence[Value], places: Sequence[Sequence[Any]], now: datetime) -> Province:
    """Sums up latest values; `places` are rows of (id, name, longitude, latitude)."""
    groups: dict[tuple[str, str], list[Value]] = defaultdict(list)
    last: dict[str, datetime] = {}
    for value in values:
        groups[value.property, value.unit].append(value)
        before = last.get(value.thing)
        if before is None or value.time > before:
            last[value.thing] = value.time
    properties = [_property(name, unit, group, now) for (name, unit), group in groups.items()]
    properties.sort(key=lambda p: (-p.datastreams, p.property, p.unit))
    return Province(properties, [Place(name, lon, lat, _state(last.get(name), now)) for _, name, lon, lat in places])


def _state(time: datetime | None, now: datetime) -> str:
    if time is None:
        return "never"
    return "live" if (now - time).total_seconds() <= FRESH_SECONDS else "late"


def _property(name: str, unit: str, group: list[Value], now: datetime) -> PropertySummary:
    fresh = sum((now - v.time).total_seconds() <= FRESH_SECONDS for v in group)
    good = [v.result for v in group if v.result is not None and not v.quality & SUSPECT]
    numbers = np.asarray(good, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    catalogued = known(name)
    low = middle = high = None
    histogram: list[int] = []
    if len(numbers):
        low, middle, high = float(numbers.min()), float(np.median(numbers)), float(numbers.max())
        histogram = _histogram(numbers, low, high)
    return PropertySummary(
        property=name,
        labels=dict(catalogued.labels) if catalogued else {},
        unit=unit,
        datastreams=len(group),
        fresh=int(fresh),
        suspect=sum(bool(v.quality & SUSPECT) for v in group),
        low=low,
        middle=middle,
        high=high,
        histogram=histogram,
    )


def _histogram(numbers: "np.ndarray[Any, np.dtype[np.float64]]", low: float, high: float) -> list[int]:
    # Scaled before subtracting: the span of two finite floats may not be finite.
    span = high / 2 - low / 2
    if span <= 0:
        place = np.full(len(numbers), BINS // 2)
    else:
        place = np.minimum(((numbers / 2 - low / 2) / span * BINS).astype(np.int64), BINS - 1)
    return [int(n) for n in np.bincount(place, minlength=BINS)]
