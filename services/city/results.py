"""What a service computed: values of Things by property and time, collected column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Told = Mapping[str, Any] | bytes | None
"""SensorThings parameters of a value: an object, or its JSON."""


@dataclass(slots=True)
class Results:
    """Values of Things by property and time, collected column by column."""

    things: list[NDArray[np.int64]] = field(default_factory=list)
    properties: list[tuple[str, int]] = field(default_factory=list)
    times: list[NDArray[np.int64]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)
    parameters: list[Sequence[Told] | None] = field(default_factory=list)

    def add(
        self, property: str, things: ArrayLike, times: ArrayLike, values: ArrayLike,
        parameters: Sequence[Told] | None = None,
    ) -> None:  # fmt: skip
        """Values of one property; the arrays have shape (n,). NaN: there is none; what stood there goes."""
        found = np.asarray(values, np.float64)
        self.things.append(np.asarray(things, np.int64))
        self.times.append(np.asarray(times, np.int64))
        self.values.append(found)
        self.properties.append((property, len(found)))
        self.parameters.append(parameters)

    def join(self, other: "Results") -> None:
        """Adds what another has collected."""
        for name in ("things", "properties", "times", "values", "parameters"):
            getattr(self, name).extend(getattr(other, name))
