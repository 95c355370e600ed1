"""Flow, density, level of service, travel time, signal timing: traffic engineering. Pure, on numpy arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LENGTH = 6.5
"""Metres: a mean vehicle and a detector together, where nobody configured it."""
MILE = 1.609344
DENSITY_ENDS = np.array([11.0, 18, 26, 35, 45])
"""Passenger cars a mile and lane: ends of A to E on a freeway (HCM 6th edition, exhibit 12-15)."""
DELAY_ENDS = np.array([10.0, 20, 35, 55, 80])
"""Seconds of control delay: ends of A to E at a signal (HCM 6th edition, exhibit 19-8)."""
EDITION = "HCM 6th edition, 2016"
LETTERS = "ABCDEF"
SHORTEST, LONGEST = 30.0, 120.0
"""Seconds: cycles that Webster's formula may advise here."""
SATURATED = 0.95
"""From this degree on no cycle helps: Webster's formula has no answer."""


def speed(flow: Floats, occupancy: Floats, length: float = LENGTH) -> Floats:
    """km/h from one loop: v = q (L_vehicle + L_detector) / o.

    Args:
        flow: vehicles an hour. occupancy: per cent of the time. length: metres.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found = flow * (length / 1000.0) / (occupancy / 100.0)
    return np.where(np.isfinite(found), found, np.nan)


def density(flow: Floats, at_speed: Floats) -> Floats:
    """Vehicles a kilometre: k = q / v. NaN at no speed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = flow / at_speed
    return np.where(np.isfinite(found), found, np.nan)


def service_by_density(per_km: Floats, lanes: int = 1) -> Floats:
    """1 (A) to 6 (F) from vehicles a kilometre of all lanes; a vehicle counts as a passenger car."""
    found = np.searchsorted(DENSITY_ENDS, per_km * MILE / lanes, side="left") + 1.0
    return np.where(np.isnan(per_km), np.nan, found)


def service_by_delay(seconds: Floats) -> Floats:
    """1 (A) to 6 (F) from the control delay at a signal."""
    found = np.searchsorted(DELAY_ENDS, seconds, side="left") + 1.0
    return np.where(np.isnan(seconds), np.nan, found)


def congestion(at_speed: Floats, free: Floats) -> Floats:
    """Per cent of the free-flow speed that is lost, 0 to 100."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 100.0 * (1.0 - at_speed / free)
    return np.where(np.isfinite(found), np.clip(found, 0.0, 100.0), np.nan)


def bpr(free_time: Floats, flow: Floats, capacity: Floats | float) -> Floats:
    """Travel time by the Bureau of Public Roads: t0 (1 + 0.15 (v/c)^4)."""
    return np.asarray(free_time * (1.0 + 0.15 * (flow / capacity) ** 4))


def segments(km: Floats, length: float) -> Floats:
    """Kilometres that each detector stands for: half way to its neighbours, to the ends at the ends. Shape (d,)."""
    edges = np.concatenate([[0.0], (km[1:] + km[:-1]) / 2, [length]])
    return np.diff(edges)


def travel_time(lengths: Floats, speeds: Floats) -> Floats:
    """Seconds for a corridor from speeds (d, n) of its segments (d,); a gap is filled by its neighbours' mean speed.

    NaN where fewer than half of the corridor's length is measured.
    """
    there = ~np.isnan(speeds) & (speeds > 0)
    weight = np.where(there, lengths[:, None], 0.0)
    covered = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        seconds = np.where(there, lengths[:, None] / np.where(there, speeds, 1.0), 0.0).sum(axis=0) * 3600.0
        found = seconds * lengths.sum() / covered
    return np.where(covered >= lengths.sum() / 2, found, np.nan)


@dataclass(frozen=True, slots=True)
class Signal:
    """Advice for a junction. `cycle` and `greens` are None where it is saturated; `degree` is Y; `delays` by phase."""

    degree: float
    cycle: float | None
    greens: tuple[float, ...] | None
    delays: tuple[float, ...] | None
    service: str | None


def webster(flows: Floats, saturations: Floats, lost: float) -> Signal:
    """F. V. Webster (1958): C = (1.5 L + 5) / (1 - Y), greens in proportion to y_i = q_i / s_i.

    Args:
        flows: the critical flow of each phase, vehicles an hour; saturations: what an hour of green lets through.
        lost: L, seconds a cycle.
    """
    y = flows / saturations
    degree = float(y.sum())
    if not np.isfinite(degree) or degree >= SATURATED:
        return Signal(degree, None, None, None, None)
    cycle = min(max((1.5 * lost + 5.0) / (1.0 - degree), SHORTEST, lost + 7.0 * len(y)), LONGEST)
    share = y / degree if degree > 0 else np.full(len(y), 1.0 / len(y))
    greens = (cycle - lost) * share
    # Uniform delay (HCM equation 19-20): what a steady flow waits; chance adds to it near saturation.
    ratio = greens / cycle
    with np.errstate(invalid="ignore", divide="ignore"):
        load = np.where(greens > 0, np.minimum(y / np.maximum(ratio, 1e-9), 1.0), 1.0)
    delays = 0.5 * cycle * (1 - ratio) ** 2 / (1 - load * ratio)
    mean = float((delays * flows).sum() / flows.sum()) if flows.sum() > 0 else float(delays.mean())
    grade = LETTERS[int(service_by_delay(np.array(mean))) - 1]
    return Signal(degree, cycle, tuple(greens.tolist()), tuple(delays.tolist()), grade)
