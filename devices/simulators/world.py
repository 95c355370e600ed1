"""What all sources share: the weather, and what the running scenarios add to it. Pure."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from devices.simulators.noise import Floats, Ints
from devices.simulators.scenarios import Scenarios, near_city
from devices.simulators.weather import Weather


@dataclass
class World:
    """What all sources share: the weather, and what the running scenarios add to it."""

    seed: int
    scenarios: Scenarios = field(default_factory=Scenarios)

    @cached_property
    def weather(self) -> Weather:
        """The undisturbed weather."""
        return Weather(self.seed)

    def rain(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """mm/h, a flood's downpour included."""
        usual = self.weather.rain(lon, lat, time)
        if not self.scenarios.running:
            return usual
        return usual + 70.0 * self.scenarios.strength("flood", time)

    def humidity(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """Per cent, a flood's rain included."""
        return np.minimum(self.weather.humidity(lon, lat, time) + 25.0 * self.scenarios.strength("flood", time), 99.5)

    def smog(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """0 to 1."""
        return self.scenarios.strength("smog", time) * (0.35 + 0.65 * near_city(lon, lat, 0.25))

    def jam(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """0 to 1."""
        return self.scenarios.strength("jam", time) * near_city(lon, lat, 0.06)

    def flood_wave(self, time: Ints, lag: Floats) -> Floats:
        """0 to 1: the flood's water at stations that many hours down from the source, in the scenario's fast motion."""
        return self.scenarios.strength("flood", time, 0.08 + 0.02 * lag)
