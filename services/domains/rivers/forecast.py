"""The level of the next hours with bands, and how good that is beside persistence. Pure.

    x(t + k) = x(t) + a_k * trend_k(t) + b_k * wave_k(t)

trend_k: the present rate of rise dying away (DAMPING an hour); wave_k: what the station upstream rose between t - lag
and t - lag + min(k, lag): it is on its way. a_k and b_k by ridge regression towards (1, 0) on the days before: with
nothing learnt yet, the damped trend alone. Bands: quantiles of the errors on the same days as a share of the expected
size of a change, so that a quiet week does not promise precision in a flood. Baseline: persistence, x(t + k) = x(t).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

METHOD = "wave-1"
STEP_HOURS = 1 / 6
"""Levels are ten-minute means."""
LEADS = (1, 2, 3, 4, 5, 6)
"""Hours ahead."""
DAMPING = 0.8
RIDGE = 2.0
"""Square metres of evidence that the prior is worth."""
FLOOR = 0.05
"""Metres an hour ahead: no band is narrower."""
QUANTILES = (0.1, 0.9)
LEAST = 100
"""Fewer errors give no quantile: then FALLBACK."""
FALLBACK = (-0.6, 0.6)
"""Band as a share of the expected size of a change, where history is too short."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt for one station; arrays have a row a lead.

    Attributes:
        lag: hours from the station upstream; None: none is known.
        weights: (a_k, b_k), shape (6, 2). band: lower and upper share, shape (6, 2).
    """

    lag: float | None
    weights: Floats
    band: Floats


@dataclass(frozen=True, slots=True)
class Score:
    """How good forecasts were at one lead: root mean square errors in metres, share within the band, how many."""

    hours: int
    rmse: float
    baseline: float
    inside: float
    pairs: int

    @property
    def skill(self) -> float:
        """1 - rmse / baseline."""
        return 1.0 - self.rmse / self.baseline if self.baseline > 0 else 0.0


def features(levels: Floats, slopes: Floats, upstream: Floats | None, lag: float | None) -> Floats:
    """(trend_k, wave_k) at each time: shape (n, 6, 2); NaN where the level or its slope is missing.

    Args:
        levels, slopes: ten-minute means in metres, metres an hour, shape (n,).
        upstream: levels of the station upstream, shape (n,), or None.
        lag: hours.
    """
    n = len(levels)
    found = np.zeros((n, len(LEADS), 2))
    back = None if lag is None or upstream is None else round(lag / STEP_HOURS)
    for row, k in enumerate(LEADS):
        found[:, row, 0] = slopes * (1 - DAMPING**k) / (1 - DAMPING)
        if back and upstream is not None:
            ahead = min(round(k / STEP_HOURS), back)
            begin = _shift(upstream, back)
            found[:, row, 1] = np.nan_to_num(_shift(upstream, back - ahead) - begin)
    found[np.isnan(levels) | np.isnan(slopes)] = np.nan
    return found


def fit(levels: Floats, slopes: Floats, upstream: Floats | None, lag: float | None) -> Model:
    """Learns the weights and the bands from a stretch of history; shapes as `features`."""
    x = features(levels, slopes, upstream, lag)
    weights, band = np.zeros((len(LEADS), 2)), np.zeros((len(LEADS), 2))
    prior = np.array([1.0, 0.0])
    for row, k in enumerate(LEADS):
        y = _shift(levels, -round(k / STEP_HOURS)) - levels
        good = ~(np.isnan(y) | np.isnan(x[:, row]).any(axis=1))
        a, b = x[good, row], y[good]
        weights[row] = np.linalg.solve(a.T @ a + RIDGE * np.eye(2), a.T @ b + RIDGE * prior)
        share = (b - a @ weights[row]) / _size(a, weights[row], k)
        band[row] = np.quantile(share, QUANTILES) if good.sum() >= LEAST else FALLBACK
    return Model(lag, weights, band)


def forecast(model: Model, levels: Floats, x: Floats) -> Floats:
    """Level, lower and upper bound of each lead: from levels (n,) and features (n, 6, 2) to (n, 6, 3)."""
    change = (x * model.weights).sum(axis=-1)
    found = np.empty((*change.shape, 3))
    for row, k in enumerate(LEADS):
        size = _size(x[:, row], model.weights[row], k)
        found[:, row, 0] = levels + change[:, row]
        found[:, row, 1] = found[:, row, 0] + np.minimum(model.band[row, 0], 0.0) * size
        found[:, row, 2] = found[:, row, 0] + np.maximum(model.band[row, 1], 0.0) * size
    return found


def score(levels: Floats, told: Floats) -> list[Score]:
    """Measures forecasts (n, 6, 3) against the levels (n,) that came."""
    found = []
    for row, k in enumerate(LEADS):
        came = _shift(levels, -round(k / STEP_HOURS))
        good = ~(np.isnan(came) | np.isnan(told[:, row, 0]) | np.isnan(levels))
        if not good.any():
            found.append(Score(k, np.nan, np.nan, np.nan, 0))
            continue
        line, low, high = told[good, row].T
        error, still = line - came[good], levels[good] - came[good]
        inside = float(((came[good] >= low) & (came[good] <= high)).mean())
        found.append(
            Score(k, float(np.sqrt((error**2).mean())), float(np.sqrt((still**2).mean())), inside, int(good.sum()))
        )
    return found


def _size(x: Floats, weights: Floats, hours: int) -> Floats:
    """The expected size of a change, metres: of what moves now, and not less than the floor."""
    return np.asarray(np.abs(x * weights).sum(axis=-1) + FLOOR * hours)


def _shift(values: Floats, steps: int) -> Floats:
    """Values so many steps ago (a negative number: to come); NaN where there are none."""
    found = np.full(len(values), np.nan)
    if steps >= len(values) or -steps >= len(values):
        return found
    if steps > 0:
        found[steps:] = values[:-steps]
    elif steps < 0:
        found[:steps] = values[-steps:]
    else:
        found[:] = values
    return found
