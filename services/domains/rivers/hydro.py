"""The arithmetic of rivers: alarm levels, rate of rise, rain sums, the lag between stations. Pure, on numpy arrays."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROMAN = ("I", "II", "III")
FAST = 0.5
"""Metres an hour from which a rise is told: the second level of the rule rivers-rate (alarms.toml)."""


def level_reached(levels: Floats, alarms: Floats) -> Floats:
    """The highest alarm level (0 to 3) that a water level has reached.

    Args:
        levels: metres, any shape; NaN gives NaN.
        alarms: I, II, III in metres, rising: shape (3,).
    """
    found = np.searchsorted(alarms, levels, side="right").astype(np.float64)
    return np.where(np.isnan(levels), np.nan, found)


def rate(levels: Floats, step: float, window: int) -> Floats:
    """Metres an hour: the least-squares slope of the last `window` values at each step.

    Args:
        levels: equally spaced means, shape (…, n); NaN: none.
        step: hours between two.

    Returns:
        The same shape; NaN where fewer than half of the window's values are there, or only one.
    """
    if levels.shape[-1] == 0:
        return levels.copy()
    pad = np.full((*levels.shape[:-1], window - 1), np.nan)
    seen = np.lib.stride_tricks.sliding_window_view(np.concatenate([pad, levels], axis=-1), window, axis=-1)
    there = ~np.isnan(seen)
    n = there.sum(axis=-1)
    x = np.broadcast_to(np.arange(window) * step, seen.shape)
    y = np.where(there, seen, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        x_mean = np.where(there, x, 0.0).sum(axis=-1) / n
        y_mean = y.sum(axis=-1) / n
        dx = np.where(there, x - x_mean[..., None], 0.0)
        slope = (dx * (y - y_mean[..., None])).sum(axis=-1) / (dx**2).sum(axis=-1)
    return np.where(n >= max(2, (window + 1) // 2), slope, np.nan)


def running_sum(amounts: Floats, window: int) -> Floats:
    """Sums of the last `window` amounts at each step, missing ones made up for by the mean of those there.

    Args:
        amounts: shape (…, n); NaN: none.

    Returns:
        The same shape; NaN where fewer than three quarters of the window are there.
    """
    if amounts.shape[-1] == 0:
        return amounts.copy()
    pad = np.full((*amounts.shape[:-1], window - 1), np.nan)
    seen = np.lib.stride_tricks.sliding_window_view(np.concatenate([pad, amounts], axis=-1), window, axis=-1)
    n = (~np.isnan(seen)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(np.isnan(seen), 0.0, seen).sum(axis=-1) / n
    return np.where(4 * n >= 3 * window, mean * window, np.nan)


def lag(upstream: Floats, station: Floats, most: int) -> tuple[int | None, float]:
    """Steps by which a station follows the one upstream: where their changes are most alike.

    Args:
        upstream, station: equally spaced levels, shape (n,); NaN: none.
        most: the longest lag that is tried.

    Returns:
        (lag in steps, correlation there); (None, best correlation) where no lag reaches LIKENESS, or nothing moved.
    """
    a, b = _changes(upstream), _changes(station)
    best, at = 0.0, None
    for k in range(most + 1):
        x, y = a[: len(a) - k or None], b[k:]
        both = ~(np.isnan(x) | np.isnan(y))
        if both.sum() < LEAST_PAIRS:
            break
        x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
        power = float(np.sqrt((x**2).sum() * (y**2).sum()))
        alike = float((x * y).sum()) / power if power > MOVED**2 * len(x) else 0.0
        if alike > best + 1e-12:
            best, at = alike, k
    return (at, best) if best >= LIKENESS else (None, best)


LIKENESS = 0.6
LEAST_PAIRS = 72
MOVED = 0.004
"""Metres a step: rivers that only tremble tell nothing of a lag."""


def _changes(levels: Floats, over: int = 6) -> Floats:
    return levels[over:] - levels[:-over]
