"""An index where nobody measures: inverse distance weighting of the nearest stations, and how wrong that is. Pure."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

METHOD = "idw-2-5"
"""Inverse distance weighting (D. Shepard, 1968), power 2, the 5 nearest stations that have a value."""
METHOD_NAME = {
    "vi": "nội suy nghịch đảo khoảng cách, 5 trạm gần nhất, bậc 2",
    "en": "inverse distance weighting, the 5 nearest stations, power 2",
}
NEAREST, POWER = 5, 2.0
REACH_KM = 60.0
"""Farther stations say nothing about a place."""
CLOSE_KM = 0.5
"""Nearer than this counts as this: a station does not stand for a commune alone."""


def distances(a: Floats, b: Floats) -> Floats:
    """Kilometres between (longitude, latitude) rows, shapes (n, 2) and (m, 2) to (n, m); on a sphere, not far."""
    middle = np.radians((a[:, None, 1] + b[None, :, 1]) / 2)
    east = np.radians(a[:, None, 0] - b[None, :, 0]) * np.cos(middle)
    north = np.radians(a[:, None, 1] - b[None, :, 1])
    return np.asarray(6371.0 * np.hypot(east, north))


def estimate(values: Floats, away: Floats) -> Floats:
    """Values at places from values at stations.

    Args:
        values: at s stations and h times, shape (s, h); NaN: none.
        away: kilometres from p places to the stations, shape (p, s); infinite: not to be used.

    Returns:
        Shape (p, h); NaN where no station within REACH_KM has a value.
    """
    places, times = away.shape[0], values.shape[1]
    found = np.full((places, times), np.nan)
    if values.shape[0] == 0:
        return found
    near = np.where(away <= REACH_KM, np.maximum(away, CLOSE_KM), np.inf)
    order = np.argsort(near, axis=1, kind="stable")
    there = ~np.isnan(values)
    for place in range(places):  # places are few (communes); hours and stations are columns
        seen = there[order[place]]
        use = seen & (np.cumsum(seen, axis=0) <= NEAREST) & np.isfinite(near[place, order[place]])[:, None]
        weight = np.where(use, near[place, order[place], None] ** -POWER, 0.0)
        total = weight.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[place] = (weight * np.where(use, values[order[place]], 0.0)).sum(axis=0) / total
    return found


def leave_one_out(values: Floats, away: Floats) -> Floats:
    """How wrong the method is at each time: root mean square over stations, each estimated from the others.

    Args:
        values: shape (s, h).
        away: between the stations, shape (s, s).

    Returns:
        Shape (h,); NaN where fewer than 3 stations can be compared.
    """
    apart = away.copy()
    np.fill_diagonal(apart, np.inf)
    error = estimate(values, apart) - values
    n = (~np.isnan(error)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sqrt(np.nansum(error**2, axis=0) / n)
    return np.where(n >= 3, found, np.nan)
