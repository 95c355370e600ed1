"""What a kind of Thing is, and all Things of one kind, by column."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from devices.simulators.noise import Floats, Ints
from devices.simulators.world import World

STREAMS_APART = 16
"""Stream numbers of one Thing; the most properties a kind may have."""

Evaluate = Callable[[World, "Group", Ints, Ints], list[Floats]]
"""(world, group, which of its Things, at what times in ms) to a column of values a property, in its order."""


@dataclass(frozen=True)
class Kind:
    """A kind of Thing.

    Attributes:
        name: goes into the Things' names, and is their kind.
        label: Vietnamese, before the place's name.
        properties: name and decimals of each Datastream; catalogued units (tram/properties.toml).
        period: milliseconds between two messages at the normal rate.
        in_wards, in_communes: how many stand in each ward (phường) and each commune (xã).
        every: only in every so many-th commune.
        extra: properties of each Thing, beside its commune.
    """

    name: str
    label: str
    properties: tuple[tuple[str, int], ...]
    period: int
    evaluate: Evaluate
    in_wards: int = 1
    in_communes: int = 1
    every: int = 1
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Group:
    """All Things of one kind, by column; every array has shape (n,)."""

    kind: Kind
    first: int
    names: list[str]
    states: list[dict[str, Any]]
    lon: Floats
    lat: Floats
    urban: Floats
    site: dict[str, Floats]
    period: int = 0

    def __post_init__(self) -> None:
        self.period = self.kind.period
        self.phase: Ints = np.zeros(len(self.names), np.int64)
        self.number: Ints = np.arange(self.first, self.first + len(self.names))
        self.stream: Ints = self.number * STREAMS_APART
        self.topics = [f"tram/v1/{name}/telemetry" for name in self.names]
        members = ",".join(f'"{name}":%.{decimals}f' for name, decimals in self.kind.properties)
        self.template = f'{{"ts":%d,{members}}}'
        assert len(self.kind.properties) <= STREAMS_APART
