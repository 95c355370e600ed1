"""VN_AQI by Decision 1459/QĐ-TCMT of 12 November 2019: hourly (NowCast) and daily. Pure, on numpy arrays.

Concentrations are micrograms per cubic metre, CO included. NaN stands for "no value", and an index that cannot be had
is NaN: never a number. Rounding is half up, as the Decision rounds.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EDITION = "1459/QĐ-TCMT, 2019"
INDEX = np.array([0.0, 50, 100, 150, 200, 300, 400, 500])
BREAKS: Mapping[str, Floats] = {
    "o3": np.array([0.0, 160, 200, 300, 400, 800, 1000, 1200]),
    "o3_8h": np.array([0.0, 100, 120, 170, 210, 400]),
    "co": np.array([0.0, 10_000, 30_000, 45_000, 60_000, 90_000, 120_000, 150_000]),
    "so2": np.array([0.0, 125, 350, 550, 800, 1600, 2100, 2630]),
    "no2": np.array([0.0, 100, 200, 700, 1200, 2350, 3100, 3850]),
    "pm10": np.array([0.0, 50, 150, 250, 350, 420, 500, 600]),
    "pm2_5": np.array([0.0, 25, 50, 80, 150, 250, 350, 500]),
}
"""Concentrations at INDEX (table 2 of the Decision); the 8-hour ozone's end at 300: above 400 it is not used."""
DUST = ("pm2_5", "pm10")
GASES = ("o3", "no2", "so2", "co")
POLLUTANTS = (*DUST, *GASES)
HOURS = 12
"""Hours that NowCast looks back on."""
DAY_HOURS = 18
"""Hours that a day's mean needs: three quarters. The Decision leaves the number open."""
EIGHT_HOURS = 6
"""Hours that an eight-hour mean needs: three quarters."""


def half_up(values: Floats) -> Floats:
    """Whole numbers, .5 upwards; what binary fractions put a hair below .5 counts as .5."""
    return np.floor(values + 0.5 + 1e-9)


def sub_index(pollutant: str, concentration: Floats) -> Floats:
    """The index of one pollutant, not rounded: linear between the table's points, 500 beyond its end.

    Args:
        pollutant: a key of BREAKS.
        concentration: any shape; NaN gives NaN, less than 0 counts as 0.
    """
    breaks = BREAKS[pollutant]
    found = np.interp(concentration, breaks, INDEX[: len(breaks)])
    if pollutant == "o3_8h":
        found = np.where(concentration > breaks[-1], np.nan, found)
    return np.where(np.isnan(concentration), np.nan, found)


def nowcast(hourly: Floats) -> Floats:
    """NowCast of each hour from it and the 11 before it.

    w = max(1/2, least / greatest); the mean weighted by w^(i-1), i = 1 the hour itself. At w = 1/2 with all twelve
    the Decision's own form, the sum of (1/2)^i c_i. Where hours are missing their weights are left out of both sums, so
    that a gap does not look like clean air. NaN unless 2 of the last 3 hours are there.

    Args:
        hourly: means of whole hours without a gap in time, shape (…, h).

    Returns:
        The same shape; the first 11 hours see fewer.
    """
    h = hourly.shape[-1]
    pad = np.full((*hourly.shape[:-1], HOURS - 1), np.nan)
    padded = np.concatenate([pad, hourly], axis=-1)
    ago = [padded[..., HOURS - 1 - i : HOURS - 1 - i + h] for i in range(HOURS)]  # i hours before each
    least, greatest = ago[0].copy(), ago[0].copy()
    for c in ago[1:]:
        np.fmin(least, c, out=least)
        np.fmax(greatest, c, out=greatest)
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.where(greatest > 0, least / greatest, 1.0)
    w = np.maximum(w, 0.5)
    # By Horner's rule: one pass an hour back, no array of powers.
    total, weight, n = np.zeros(hourly.shape), np.zeros(hourly.shape), np.zeros(hourly.shape, np.int8)
    for c in reversed(ago):
        there = ~np.isnan(c)
        total = total * w + np.where(there, c, 0.0)
        weight = weight * w + there
        n += there
    enough = sum((~np.isnan(c)).astype(np.int8) for c in ago[:3]) >= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where((n == HOURS) & (w == 0.5), total * 0.5, total / weight)
    return np.where(enough, found, np.nan)


def hourly_index(concentrations: Mapping[str, Floats]) -> tuple[Floats, Mapping[str, Floats]]:
    """The hourly index, and each pollutant's (rounded).

    Args:
        concentrations: hourly means by pollutant, each of shape (…, h), hours without a gap; missing ones left out.

    Returns:
        The largest of them; NaN where neither PM2.5 nor PM10 has one.
    """
    return index(smoothed(concentrations))


def smoothed(concentrations: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """What an hour's index is of: of dust its NowCast, of a gas the hour's mean. Shapes as `hourly_index`."""
    return {p: nowcast(c) if p in DUST else c for p, c in concentrations.items()}


def index(smooth: Mapping[str, Floats]) -> tuple[Floats, Mapping[str, Floats]]:
    """`hourly_index` of what `smoothed` gave."""
    subs = {p: half_up(sub_index(p, c)) for p, c in smooth.items()}
    return _largest(subs), subs


def daily_index(concentrations: Mapping[str, Floats]) -> tuple[Floats, Mapping[str, Floats]]:
    """The index of a day, and each pollutant's, from the day's values: see `day_values`.

    Args:
        concentrations: 24-h means of pm2_5 and pm10, largest 1-h values of the gases, largest 8-h mean as o3_8h; all of
            one shape.
    """
    subs = {p: half_up(sub_index(p, c)) for p, c in concentrations.items()}
    if "o3_8h" in subs:
        eight = subs.pop("o3_8h")
        subs["o3"] = np.fmax(subs["o3"], eight) if "o3" in subs else eight
    return _largest(subs), subs


def day_values(hourly: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """What `daily_index` wants, from 24 hourly means of each day: shape (…, 24) to (…).

    A mean needs DAY_HOURS; the greatest of a gas is that of the hours there are. Eight hours lie within their day, so
    that a day's index follows from that day's data alone.
    """
    found: dict[str, Floats] = {}
    for pollutant, c in hourly.items():
        there = ~np.isnan(c)
        if pollutant in DUST:
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.where(there, c, 0.0).sum(axis=-1) / there.sum(axis=-1)
            found[pollutant] = np.where(there.sum(axis=-1) >= DAY_HOURS, mean, np.nan)
        else:
            found[pollutant] = np.where(there.any(axis=-1), np.where(there, c, -np.inf).max(axis=-1), np.nan)
    if "o3" in hourly:
        windows = np.lib.stride_tricks.sliding_window_view(hourly["o3"], 8, axis=-1)
        there = ~np.isnan(windows)
        counts = there.sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(counts >= EIGHT_HOURS, np.where(there, windows, 0.0).sum(axis=-1) / counts, -np.inf)
        best = means.max(axis=-1)
        found["o3_8h"] = np.where(np.isfinite(best), best, np.nan)
    return found


def worst(subs: Mapping[str, Floats]) -> NDArray[np.str_]:
    """Which pollutant has the largest index; the first of POLLUTANTS where several do, "" where none has."""
    names = np.array([name for name in POLLUTANTS if name in subs] or [""])
    if names[0] == "":
        return np.zeros((), np.str_)
    stacked = np.stack([subs[str(name)] for name in names])
    filled = np.where(np.isnan(stacked), -np.inf, stacked)
    return np.where(np.isnan(stacked).all(axis=0), "", names[filled.argmax(axis=0)])


def _largest(subs: Mapping[str, Floats]) -> Floats:
    if not subs.keys() & set(DUST):
        shape = next(iter(subs.values())).shape if subs else ()
        return np.full(shape, np.nan)
    stacked = np.stack(list(subs.values()))
    dust = np.stack([subs[p] for p in DUST if p in subs])
    largest = np.where(np.isnan(stacked), -np.inf, stacked).max(axis=0)
    return np.where(np.isnan(dust).all(axis=0), np.nan, largest)
