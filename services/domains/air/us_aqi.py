"""The US AQI of dust by the EPA's breakpoints of May 2024 (40 CFR 58, appendix G): an option beside VN_AQI. Pure."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.domains.air.vn_aqi import half_up, smoothed

Floats = NDArray[np.float64]

EDITION = "US EPA, May 2024"
_LOW = np.array([0.0, 51, 101, 151, 201, 301])
_HIGH = np.array([50.0, 100, 150, 200, 300, 500])
# (step of the concentration, the ends of the categories): what lies between two steps is cut off, not rounded.
BREAKS: Mapping[str, tuple[float, Floats]] = {
    "pm2_5": (0.1, np.array([9.0, 35.4, 55.4, 125.4, 225.4, 325.4])),
    "pm10": (1.0, np.array([54.0, 154, 254, 354, 424, 604])),
}


def sub_index(pollutant: str, concentration: Floats) -> Floats:
    """The index of one pollutant, a whole number; 500 beyond the table, NaN without a concentration."""
    step, ends = BREAKS[pollutant]
    c = np.floor(np.maximum(concentration, 0.0) / step + 1e-6) * step
    begins = np.concatenate([[0.0], ends[:-1] + step])
    category = np.minimum(np.searchsorted(ends + step / 2, c), len(ends) - 1)
    share = np.clip((c - begins[category]) / (ends[category] - begins[category]), 0.0, 1.0)
    found = half_up(_LOW[category] + share * (_HIGH[category] - _LOW[category]))
    return np.where(np.isnan(concentration), np.nan, found)


def hourly_index(concentrations: Mapping[str, Floats]) -> Floats:
    """The NowCast index of dust; shapes as vn_aqi.hourly_index."""
    return index(smoothed(concentrations))


def index(smooth: Mapping[str, Floats]) -> Floats:
    """`hourly_index` of what `vn_aqi.smoothed` gave."""
    found = [sub_index(p, c) for p, c in smooth.items() if p in BREAKS]
    if not found:
        return np.full(next(iter(smooth.values())).shape, np.nan)
    stacked = np.stack(found)
    largest = np.where(np.isnan(stacked), -np.inf, stacked).max(axis=0)
    return np.where(np.isfinite(largest), largest, np.nan)
