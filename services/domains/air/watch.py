"""What a network's keeper asks: how complete the data is, which sensor drifts, when the air was bad for long. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EPISODE_HOURS = 3
"""Hours in a row above the level that make an episode."""
BAD = 100.0
DRIFT = 0.25
"""A ratio to the neighbours that moved by more than this share is told."""
NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Episode:
    """Hours first to last (indices, both in it) above the level; the greatest value and the mean."""

    first: int
    last: int
    peak: float
    mean: float


def episodes(values: Floats, level: float = BAD, least: int = EPISODE_HOURS) -> list[Episode]:
    """Runs of at least `least` hours above `level`, shape (h,). An hour without a value ends a run."""
    high = np.concatenate([[False], np.nan_to_num(values, nan=-1.0) > level, [False]])
    edges = np.flatnonzero(high[1:] != high[:-1])
    found = []
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - begin >= least:
            run = values[begin:end]
            found.append(Episode(begin, end - 1, float(run.max()), float(run.mean())))
    return found


def drift(values: Floats, away: Floats) -> tuple[Floats, Floats]:
    """How each sensor moved against its nearest neighbours.

    The ratio of a sensor to the median of its NEIGHBOURS, day by day; the slope is the median of all between days
    (Theil and Sen: a bad day or two do not move it).

    Args:
        values: daily means, shape (s, d); NaN: none.
        away: kilometres between the sensors, shape (s, s).

    Returns:
        (change of the ratio over the whole time as a share of its median, days compared), shape (s,); NaN under 5 days.
    """
    apart = away.copy()
    np.fill_diagonal(apart, np.inf)
    order = np.argsort(apart, axis=1, kind="stable")[:, :NEIGHBOURS]
    shape = values.shape[0]
    change, days = np.full(shape, np.nan), np.zeros(shape)
    if shape < 4:
        return change, days
    for s in range(shape):
        near = values[order[s]]
        enough = (~np.isnan(near)).sum(axis=0) >= 3  # with two, one that drifts moves the median
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = values[s] / np.where(enough, _median(near), np.nan)
        at = np.flatnonzero(np.isfinite(ratio))
        days[s] = len(at)
        if len(at) >= 5:
            i, j = np.triu_indices(len(at), 1)
            slope = np.median((ratio[at[j]] - ratio[at[i]]) / (at[j] - at[i]))
            change[s] = slope * (at[-1] - at[0]) / np.median(ratio[at])
    return change, days


def _median(near: Floats) -> Floats:
    """Of columns, NaN left out; NaN where all are."""
    empty = np.isnan(near).all(axis=0)
    return np.where(empty, np.nan, np.nanmedian(np.where(empty, 0.0, near), axis=0))
