"""Equivalent sound levels. Pure, on numpy arrays; decibels are averaged as the energies they stand for."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LIMITS = ((6, 21, 70.0), (21, 6, 55.0))
"""(from, to, dB) of ordinary areas by local hour: QCVN 26:2010/BTNMT, table 1."""


def limit(hour: int) -> float:
    """The limit of an ordinary area in a local hour, dB."""
    day = LIMITS[0]
    return day[2] if day[0] <= hour < day[1] else LIMITS[1][2]


def leq(levels: Floats) -> Floats:
    """10 lg mean 10^(L/10) over the last axis; NaN is left out, and is the answer where there is nothing else."""
    there = ~np.isnan(levels)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, 10.0 ** (np.nan_to_num(levels) / 10.0), 0.0).sum(axis=-1) / there.sum(axis=-1)
        return np.asarray(10.0 * np.log10(mean))


def lden(day: Floats, evening: Floats, night: Floats) -> Floats:
    """10 lg [(12 10^(Ld/10) + 4 10^((Le+5)/10) + 8 10^((Ln+10)/10)) / 24]."""
    energy = 12 * 10 ** (day / 10) + 4 * 10 ** ((evening + 5) / 10) + 8 * 10 ** ((night + 10) / 10)
    return np.asarray(10.0 * np.log10(energy / 24.0))


def lden_of_hours(hourly: Floats) -> Floats:
    """Lden of days from Leq of their 24 local hours, shape (…, 24); NaN where a part has less than three quarters."""
    hours = np.arange(24)
    parts = [(hours >= 7) & (hours < 19), (hours >= 19) & (hours < 23), (hours < 7) | (hours >= 23)]
    found = []
    for part in parts:
        mine = hourly[..., part]
        enough = 4 * (~np.isnan(mine)).sum(axis=-1) >= 3 * part.sum()
        found.append(np.where(enough, leq(mine), np.nan))
    return lden(*found)
