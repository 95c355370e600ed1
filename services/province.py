"""What is measured where: the latest values summed up by property, and the Things on the map. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tram.properties import fresh_for, known
from tram.quality import SUSPECT
from tram.store.series import Value

BINS = 32


@dataclass(frozen=True, slots=True)
class PropertySummary:
    """The latest values of one property and unit over the province.

    `fresh` of the Datastreams have a value that is new by the property's own measure, `fresh_for` seconds
    (tram.properties). `period`: seconds from one value to the next; None: nobody said. `computed`: by a city service.
    `histogram` counts them in BINS equal steps from `low` to `high` (their least and greatest).
    """

    property: str
    labels: dict[str, str]
    unit: str
    period: float | None
    fresh_for: float
    computed: bool
    datastreams: int
    fresh: int
    suspect: int
    low: float | None
    middle: float | None
    high: float | None
    histogram: list[int]


@dataclass(frozen=True, slots=True)
class Place:
    """A Thing on the map: degrees (WGS 84), and whether it is "live", "late" or has "never" sent a value.

    Live is what has a value that is new by its own measure. What a service computed of a device's values does not make
    the device live: a station that fell silent has a forecast for hours.
    """

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
    until: dict[tuple[str, bool], datetime] = {}
    for value in values:
        groups[value.property, value.unit].append(value)
    for (name, _), group in groups.items():
        observed = known(name)
        lasts = timedelta(seconds=fresh_for(observed))
        computed = observed is not None and observed.computed
        for value in group:
            end = value.time + lasts
            before = until.get((value.thing, computed))
            if before is None or end > before:
                until[value.thing, computed] = end
    properties = [_property(name, unit, group, now) for (name, unit), group in groups.items()]
    properties.sort(key=lambda p: (-p.datastreams, p.property, p.unit))
    shown = [(name, lon, lat, until.get((name, False)) or until.get((name, True))) for _, name, lon, lat in places]
    return Province(properties, [Place(name, lon, lat, _state(end, now)) for name, lon, lat, end in shown])


def _state(end: datetime | None, now: datetime) -> str:
    if end is None:
        return "never"
    return "live" if now <= end else "late"


def _property(name: str, unit: str, group: list[Value], now: datetime) -> PropertySummary:
    good = [v.result for v in group if v.result is not None and not v.quality & SUSPECT]
    numbers = np.asarray(good, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    catalogued = known(name)
    lasts = fresh_for(catalogued)
    fresh = sum((now - v.time).total_seconds() <= lasts for v in group)
    low = middle = high = None
    histogram: list[int] = []
    if len(numbers):
        low, middle, high = float(numbers.min()), float(np.median(numbers)), float(numbers.max())
        histogram = _histogram(numbers, low, high)
    return PropertySummary(
        property=name,
        labels=dict(catalogued.labels) if catalogued else {},
        unit=unit,
        period=(catalogued.period or None) if catalogued else None,
        fresh_for=lasts,
        computed=catalogued is not None and catalogued.computed,
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
