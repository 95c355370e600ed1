"""Weather over the province: smooth in space and time, so neighbours share it. Pure functions of place and time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.simulators.noise import Floats, Ints, uniform

HOUR = 3_600_000
DAY = 24 * HOUR
OFFSET = 7 * HOUR
"""Local time is UTC+07 all year."""
_KM_LON, _KM_LAT = 103.5, 110.8
"""Kilometres of a degree at 21.7° north."""


def hour_of_day(time: Ints) -> Floats:
    """Local hour, [0, 24). Times are milliseconds since 1970."""
    return ((time + OFFSET) % DAY) / HOUR


def weekday(time: Ints) -> Ints:
    """Local day of the week, Monday 0 (1 January 1970 was a Thursday)."""
    return ((time + OFFSET) // DAY + 3) % 7


def season(time: Ints) -> Floats:
    """-1 in mid January, 1 in mid July."""
    return -np.cos(2 * np.pi * (time / DAY / 365.25 - 15 / 365.25))


@dataclass(frozen=True)
class Field:
    """A Gaussian-like random field: a sum of plane waves (random Fourier features). Variance 1."""

    waves: NDArray[np.float64]
    """Shape (4, n): wave numbers east and north (1/km), frequency (1/ms), phase."""

    @staticmethod
    def of(seed: int, length: float, duration: float, n: int = 16) -> "Field":
        """`length` in km and `duration` in ms over which values stay alike."""
        index = np.arange(n)
        angle, radius = 2 * np.pi * uniform(seed, index, 1), (0.4 + 1.2 * uniform(seed, index, 2)) / length
        speed = (uniform(seed, index, 3) - 0.5) * 3.0 / duration
        return Field(
            np.array([radius * np.cos(angle), radius * np.sin(angle), speed, 2 * np.pi * uniform(seed, index, 4)])
        )

    def at(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """The field; the three broadcast."""
        east, north, frequency, phase = self.waves
        x, y = np.asarray(lon) * _KM_LON, np.asarray(lat) * _KM_LAT
        turn = x[..., None] * east + y[..., None] * north + np.asarray(time)[..., None] * frequency + phase
        return np.asarray(np.cos(turn).sum(axis=-1) * (2.0 / len(phase)) ** 0.5)


class Weather:
    """Temperature, humidity, pressure, rain and stillness of the air at any place and time."""

    def __init__(self, seed: int) -> None:
        self._front = Field.of(seed + 11, 90.0, 30.0 * HOUR)
        self._rain = Field.of(seed + 12, 22.0, 5.0 * HOUR)
        self._still = Field.of(seed + 13, 60.0, 20.0 * HOUR)

    def rain(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """Intensity in mm/h, mostly 0; heavier in summer."""
        wet = self._rain.at(lon, lat, time) + 0.5 * self._front.at(lon, lat, time)
        return np.clip(wet - 1.1 + 0.35 * season(time), 0.0, None) ** 1.5 * 9.0

    def temperature(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """Degrees Celsius: 16 in January, 29 in July, warmest at 14:30, cooler in the north and under rain."""
        day = np.cos(2 * np.pi * (hour_of_day(time) - 14.5) / 24)
        north = (np.asarray(lat) - 21.6) * -2.2
        front = 2.2 * self._front.at(lon, lat, time)
        return 22.5 + 6.5 * season(time) + 3.6 * day + north + front - np.minimum(self.rain(lon, lat, time), 8.0) * 0.3

    def humidity(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """Per cent: damp at night and in rain."""
        day = np.cos(2 * np.pi * (hour_of_day(time) - 14.5) / 24)
        wet = np.minimum(self.rain(lon, lat, time), 5.0) * 3.0
        return np.clip(79.0 - 12.0 * day - 4.0 * self._front.at(lon, lat, time) + wet, 25.0, 99.5)

    def pressure(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """hPa at the station."""
        return 1009.0 - 6.0 * season(time) - 3.0 * self._front.at(lon, lat, time) - (np.asarray(lat) - 21.5) * 25.0

    def still(self, lon: Floats, lat: Floats, time: Ints) -> Floats:
        """How little the air moves, about 0.3 to 2: multiplies what is let into it."""
        return np.exp(0.45 * self._still.at(lon, lat, time))
