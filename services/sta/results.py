"""Observations on their way in: their values exactly as sent, as rows of one batch of the store's write path."""

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from services.sta.identity import observation_id
from tram.clock import to_micros
from tram.store.batch import Batch

_DIGITS = 15
"""Decimal digits that every double holds."""
_INTEGER = re.compile(r"-?\d+")


@dataclass
class Rows:
    """Observations of one transaction, to be written together at its end."""

    ids: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    results: list[float] = field(default_factory=list)
    json: dict[int, bytes] = field(default_factory=dict)
    parameters: dict[int, bytes] = field(default_factory=dict)
    extra: dict[int, bytes] = field(default_factory=dict)
    quality: int = 0

    def add(self, datastream: int, properties: dict[str, Any], feature: int | None, id: str | None = None) -> str:
        """One Observation as bodies.read gives it; returns its id."""
        row = len(self.ids)
        start, end = properties.get("phenomenonTime") or (datetime.now(UTC), None)
        number, json = value(properties["result"])
        self.ids.append(datastream)
        self.times.append(to_micros(start))
        self.results.append(number)
        if json is not None:
            self.json[row] = json
        if properties.get("parameters") is not None:
            self.parameters[row] = properties["parameters"].encode()
        more = extra(end, properties, feature, id)
        if more:
            self.extra[row] = more
        return id or observation_id(datastream, start)

    def batch(self) -> Batch:
        """The rows."""
        return Batch(
            np.array(self.ids, np.int32),
            np.array(self.times, np.int64),
            np.array(self.results, np.float64),
            np.full(len(self.ids), self.quality, np.int16),
            self.json,
            self.parameters,
            self.extra,
        )


def value(raw: str) -> tuple[float, bytes | None]:
    """(the number, NaN where it is none; the JSON, where the number alone would not give back what was sent)."""
    if raw[0] not in "-0123456789":
        return math.nan, raw.encode()
    number = float(raw)
    if len(raw) <= _DIGITS:
        return number, None
    whole = _INTEGER.fullmatch(raw) is not None
    exact = abs(int(raw)) <= 2**53 if whole else sum(c.isdigit() for c in raw) <= _DIGITS
    return number, None if exact else raw.encode()


def extra(end: datetime | None, properties: dict[str, Any], feature: int | None, id: str | None) -> bytes | None:
    """The JSON of observation.extra; None for the usual Observation, which has nothing in it."""
    found: dict[str, Any] = {}
    if end is not None:
        found["end"] = end.astimezone(UTC)
    if properties.get("resultTime") is not None:
        found["resultTime"] = properties["resultTime"].astimezone(UTC)
    if properties.get("validTime") is not None:
        first, last = properties["validTime"]
        found["validTime"] = first.astimezone(UTC)
        if last is not None:
            found["validEnd"] = last.astimezone(UTC)
    if properties.get("resultQuality") not in (None, "null"):
        found["resultQuality"] = msgspec.Raw(properties["resultQuality"].encode())
    if feature is not None:
        found["feature"] = feature
    if id is not None:
        found["id"] = id
    return msgspec.json.encode(found) if found else None
