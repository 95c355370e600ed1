"""What can be made to happen: when it began and how strong it is at a place and time. Pure."""

from dataclasses import dataclass

import numpy as np

from devices.simulators.noise import Floats, Ints

NAMES = ("flood", "smog", "jam", "storm-of-reconnects")
TITLES = {
    "flood": "lũ: mưa rất to, sông dâng tới đỉnh lũ lịch sử / heavy rain, then the rivers rise to their records",
    "smog": "khói bụi: bụi mịn tăng sáu lần quanh các phường / fine dust six times as high around the wards",
    "jam": "ùn tắc: xe nhích từng chút ở trung tâm / crawling traffic in the city",
    "storm-of-reconnects": "mất kết nối hàng loạt / devices lose their connections and come back, all together",
}
CITY = (105.84, 21.58)
"""The centre of the former city of Thái Nguyên."""
DURATION = 30 * 60_000
"""Milliseconds a scenario lasts unless told: it is told in fast motion, for people who watch."""


@dataclass(frozen=True)
class Scenario:
    """One that runs. `started` and `duration` in milliseconds."""

    name: str
    started: int
    duration: int = DURATION

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"{self.name!r} is no scenario: {', '.join(NAMES)}")
        if not 1_000 <= self.duration <= 7 * 86_400_000:
            raise ValueError("a scenario lasts from a second to a week")

    def strength(self, time: Ints, delay: Floats | float = 0.0) -> Floats:
        """0 to 1: rises over a third of its duration, holds, and goes. `delay` is a share of the duration."""
        x = (np.asarray(time) - self.started) / self.duration - delay
        return _step(x / 0.35) * (1.0 - _step((x - 0.7) / 0.3))


@dataclass(frozen=True)
class Scenarios:
    """All that run, and what they do. Several may at once; one of a name."""

    running: tuple[Scenario, ...] = ()

    def with_(self, scenario: Scenario) -> "Scenarios":
        """These and one more, in place of one of its name."""
        return Scenarios((*self.without(scenario.name).running, scenario))

    def without(self, name: str) -> "Scenarios":
        """These without the one of a name."""
        return Scenarios(tuple(s for s in self.running if s.name != name))

    def current(self, time: int) -> "Scenarios":
        """These without the ones that are over at a time, the last water of a flood gone down too."""
        return Scenarios(tuple(s for s in self.running if time < s.started + 1.5 * s.duration))

    def strength(self, name: str, time: Ints, delay: Floats | float = 0.0) -> Floats:
        """How strong the scenario of a name is at these times."""
        for scenario in self.running:
            if scenario.name == name:
                return scenario.strength(time, delay)
        return np.zeros(np.shape(time))


def near_city(lon: Floats, lat: Floats, reach: float) -> Floats:
    """1 in the city, falling to 0 over `reach` degrees."""
    away = np.hypot(np.asarray(lon) - CITY[0], np.asarray(lat) - CITY[1])
    return np.exp(-0.5 * (away / reach) ** 2)


def _step(x: Floats) -> Floats:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
