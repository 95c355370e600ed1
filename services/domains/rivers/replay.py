"""The record flood of October 2025 on sông Cầu at Gia Bảy, replayed: what this service says, hour by hour. Pure.

What is known (and has a source): the alarm levels I and III, the peak of 29.9 m at 03:00 on 8 October 2025, the earlier
record of 28.81 m in 2024. The shape between is made up: smooth rises and a slow fall, the same wave earlier at Chợ
Mới. A replay shows how the service behaves in such a flood; it proves nothing of how well it forecasts a real one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.domains.rivers import forecast, hydro
from tram.clock import SECOND

Floats = NDArray[np.float64]

STEP = 600 * SECOND
HOURS = 6
"""Ten-minute steps of an hour."""
PEAK, PEAK_TIME = 29.9, 1_759_867_200_000_000  # 2025-10-08T03:00+07:00
BEFORE = 28.81
"""The record until then, of September 2024: what the forecast learns from."""
DRY = 20.9
ALARMS = np.array([25.0, 26.0, 27.0])
UP_DRY, UP_SPAN = 54.6, 6.4
TRAVEL = 3.0
"""Hours from Chợ Mới: as the simulated province has it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a flood, made up: hours that its sides are wide, and the share of a first small spell 20 hours before."""

    rise: float
    fall: float
    first: float


SHAPE_2024, SHAPE_2025 = Shape(14.0, 34.0, 0.0), Shape(9.0, 26.0, 0.15)
"""Different, so that what is learnt from the one is not the other again."""


def wave(hours: Floats, shape: Shape) -> Floats:
    """A flood around its peak at hour 0, as a share of it: steep up, slow down."""
    width = np.where(hours < 0, shape.rise, shape.fall)
    first = shape.first * np.exp(-0.5 * ((hours + 20) / 5) ** 2)
    at_peak = 1.0 + shape.first * np.exp(-0.5 * (20 / 5) ** 2)
    return np.asarray((np.exp(-0.5 * (hours / width) ** 2) + first) / at_peak)


def flood(peak: float, shape: Shape = SHAPE_2025) -> tuple[Floats, Floats, Floats]:
    """(hours from the peak, Gia Bảy, Chợ Mới) in ten-minute steps, from two days before to three days after."""
    hours = np.arange(-48 * HOURS, 72 * HOURS + 1) / HOURS
    share = (peak - DRY) / (PEAK - DRY)
    above = UP_DRY + UP_SPAN * share * wave(hours + TRAVEL, shape)
    return hours, DRY + (peak - DRY) * wave(hours, shape), above


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `time` in microseconds; `kind`: level, rise, forecast or peak."""

    time: int
    kind: str
    level: float
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The flood and what was said of it; arrays of ten-minute steps.

    `told`: forecasts (n, 6, 3); `scores` on this flood, learnt from the one of 2024 alone.
    """

    times: NDArray[np.int64]
    levels: Floats
    rates: Floats
    told: Floats
    events: tuple[Event, ...]
    scores: tuple[forecast.Score, ...]
    lag: float | None


def replay() -> Replay:
    """Learns from a flood of 2024's height, then lives through that of 2025."""
    _, before, above = flood(BEFORE, SHAPE_2024)
    found, _ = hydro.lag(above, before, 24 * HOURS)
    hours = None if found is None else found / HOURS
    model = forecast.fit(before, hydro.rate(before, 1 / HOURS, HOURS), above, hours)
    when, levels, upstream = flood(PEAK)
    times = PEAK_TIME + (np.round(when * HOURS) * STEP).astype(np.int64)
    rates = hydro.rate(levels, 1 / HOURS, HOURS)
    told = forecast.forecast(model, levels, forecast.features(levels, rates, upstream, hours))
    events = sorted(_events(times, levels, rates, told), key=lambda event: event.time)
    return Replay(times, levels, rates, told, tuple(events), tuple(forecast.score(levels, told)), hours)


def _events(times: NDArray[np.int64], levels: Floats, rates: Floats, told: Floats) -> list[Event]:
    found = []
    reached = hydro.level_reached(levels, ALARMS)
    ahead = np.nan_to_num(hydro.level_reached(told[:, :, 0], ALARMS)).max(axis=1)
    for number, name in enumerate(hydro.ROMAN, 1):
        up = _first(reached >= number)
        early = _first(ahead >= number)
        if early is not None and up is not None and early < up:
            lead = (times[up] - times[early]) / (3600 * SECOND)
            found.append(Event(int(times[early]), "forecast", float(levels[early]),
                               f"Dự báo vượt báo động {name} trong 6 giờ tới (thực tế sau {lead:.1f} giờ)",
                               f"Forecast to pass alarm level {name} within 6 hours ({lead:.1f} h later)"))  # fmt: skip
        if up is not None:
            found.append(Event(int(times[up]), "level", float(levels[up]), f"Đạt báo động {name}",
                               f"Alarm level {name} reached"))  # fmt: skip
        down = np.flatnonzero(reached >= number)
        if len(down) and down[-1] + 1 < len(times):
            at = int(down[-1]) + 1
            found.append(Event(int(times[at]), "level", float(levels[at]), f"Xuống dưới báo động {name}",
                               f"Below alarm level {name} again"))  # fmt: skip
    fast = _first(rates >= hydro.FAST)
    if fast is not None:
        found.append(Event(int(times[fast]), "rise", float(levels[fast]), f"Nước lên nhanh: {rates[fast]:.2f} m/giờ",
                           f"Rising fast: {rates[fast]:.2f} m/h"))  # fmt: skip
    top = int(np.argmax(levels))
    found.append(Event(int(times[top]), "peak", float(levels[top]), f"Đỉnh lũ {levels[top]:.2f} m",
                       f"Peak {levels[top]:.2f} m"))  # fmt: skip
    return found


def _first(holds: NDArray[np.bool_]) -> int | None:
    at = np.flatnonzero(holds)
    return int(at[0]) if len(at) else None
