"""The catalogue of ObservedProperties (properties.toml), and finding one by the name a device gives it."""

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from tram.sensing import ObservedProperty
from tram.units import UNITS


def read_catalogue(text: str) -> tuple[dict[str, ObservedProperty], dict[str, str]]:
    """Parses a catalogue. Returns the properties by name, and every name on the wire with the canonical one.

    Raises:
        ValueError: an unknown unit, a period below zero, or a name that two properties claim.
    """
    properties: dict[str, ObservedProperty] = {}
    names: dict[str, str] = {}
    for name, row in tomllib.loads(text).items():
        if row["unit"] not in UNITS:
            raise ValueError(f"property {name!r}: unit {row['unit']!r} is not in tram.units")
        if row.get("period", 0) < 0:
            raise ValueError(f"property {name!r}: the period {row['period']} is below zero")
        properties[name] = _property(name, row)
        for alias in (name, *row.get("also", ())):
            if names.setdefault(alias, name) != name:
                raise ValueError(f"the name {alias!r} is claimed by {names[alias]!r} and {name!r}")
    return properties, names


def _property(name: str, row: Mapping[str, Any]) -> ObservedProperty:
    return ObservedProperty(
        name=name,
        unit=row["unit"],
        labels={"vi": row["vi"], "en": row["en"]},
        definition=row.get("definition", ""),
        low=row.get("low"),
        high=row.get("high"),
        stuck_after=row.get("stuck_after", 0),
        period=float(row.get("period", 0)),
        known_after=float(row.get("known_after", 0)),
    )


@cache
def catalogue() -> tuple[dict[str, ObservedProperty], dict[str, str]]:
    """The built-in catalogue, read once."""
    return read_catalogue(files("tram").joinpath("properties.toml").read_text(encoding="utf-8"))


def extend(more: Mapping[str, ObservedProperty]) -> None:
    """Adds a service's own properties to the catalogue of this process; the same once more changes nothing.

    Raises:
        ValueError: a name that something else has already.
    """
    properties, names = catalogue()
    for name, observed in more.items():
        if properties.get(name, observed) != observed or names.get(name, name) != name:
            raise ValueError(f"the name {name!r} is claimed by another property")
    properties.update(more)
    names.update({name: name for name in more})


def known(name: str) -> ObservedProperty | None:
    """The catalogued property a device means by `name` (its own name or an alias), or None."""
    properties, names = catalogue()
    canonical = names.get(name) or names.get(name.lower())
    return properties[canonical] if canonical else None


USUAL = 900.0
"""Seconds for which a value counts as new where nobody said how often one comes: the longest usual period of a station,
and half of it again."""
LATEST = 3600.0
"""Seconds that a value may come late, at most."""


def fresh_for(observed: ObservedProperty | None) -> float:
    """Seconds from its phenomenonTime for which a value counts as new: until the next one is late.

    From when it can be there (`known_after`) its period, and half of it again but at most an hour; 15 minutes at least,
    also for a property that is not in the catalogue. Docs: docs/adr/0135.
    """
    if observed is None:
        return USUAL
    return observed.known_after + max(USUAL, observed.period + min(observed.period / 2, LATEST))


def limits(observed: ObservedProperty | None) -> tuple[float, float]:
    """(low, high) of a property, NaN where it has none."""
    if observed is None:
        return math.nan, math.nan
    return (math.nan if observed.low is None else observed.low, math.nan if observed.high is None else observed.high)
