"""Arithmetic of rollups: pure, on numpy columns, and exact, so that no order of arrival shows in the result.

A sum is kept as two floats, `sum` + `sum_low` (double-double, T. J. Dekker 1971; TwoSum by D. E. Knuth): 106 bits. It
is exact, so the same whatever the order, while the bits of a bucket's values span at most 103: that is, largest times n
over smallest below 2**50. Beyond that it errs by less than 2**-100 of the sum of magnitudes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tram.quality import SUSPECT
from tram.store.columns import Layout

BUCKET = Layout(
    datastream_id="int4", bucket="time", n="int4", good="int4", sum="float8", sum_low="float8", min="float8",
    max="float8", first="float8", last="float8", first_time="time", last_time="time",
)  # fmt: skip
"""One bucket of one Datastream: `n` numbers, of which `good` are plainly good. What is no number is not in it."""

MOST = 1e300
"""A bucket that holds a larger magnitude has no sum and no mean (NaN): nothing else could overflow."""

Rows = NDArray[Any]


def of_observations(
    ids: NDArray[np.int32], times: NDArray[np.int64], results: NDArray[np.float64], quality: NDArray[np.int16]
) -> Rows:
    """Each number as a bucket of its own (bucket = its time); what is no number is left out. All of shape (n,)."""
    finite = np.isfinite(results)
    if not finite.all():
        ids, times, results, quality = ids[finite], times[finite], results[finite], quality[finite]
    rows = BUCKET.empty(len(ids))
    rows["datastream_id"], rows["bucket"], rows["n"] = ids, times, 1
    rows["good"] = (quality & SUSPECT) == 0
    rows["sum"] = np.where(np.abs(results) > MOST, np.nan, results)
    for name in ("min", "max", "first", "last"):
        rows[name] = results
    rows["first_time"] = rows["last_time"] = times
    return rows


def floor(times: NDArray[np.int64], width: int, offset: int = 0) -> NDArray[np.int64]:
    """The starts of the buckets that hold `times`; buckets of `width` that begin at `offset` before whole widths."""
    return np.asarray((times + offset) // width * width - offset, np.int64)


def combine(rows: Rows, width: int, offset: int = 0) -> Rows:
    """The buckets of `width` microseconds that hold these smaller (or equal) ones, by Datastream and time."""
    if len(rows) == 0:
        return rows.copy()
    ids, buckets = rows["datastream_id"], floor(rows["bucket"], width, offset)
    order = np.lexsort((buckets, ids))
    ids, buckets, rows = ids[order], buckets[order], rows[order]
    new = np.ones(len(rows), bool)
    new[1:] = (ids[1:] != ids[:-1]) | (buckets[1:] != buckets[:-1])
    starts = np.flatnonzero(new)
    out = BUCKET.empty(len(starts))
    out["datastream_id"], out["bucket"] = ids[starts], buckets[starts]
    for name, reduce in (
        ("n", np.add), ("good", np.add), ("min", np.minimum), ("max", np.maximum), ("first_time", np.minimum),
        ("last_time", np.maximum),
    ):  # fmt: skip
        out[name] = reduce.reduceat(rows[name], starts)
    group = np.cumsum(new) - 1
    for value, time in (("first", "first_time"), ("last", "last_time")):
        holds = np.flatnonzero(rows[time] == out[time][group])
        out[value][group[holds]] = rows[value][holds]
    out["sum"], out["sum_low"] = _sums(rows["sum"], rows["sum_low"], starts)
    return out


def _sums(
    high: NDArray[np.float64], low: NDArray[np.float64], starts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of stretches: neighbours are added pairwise until one is left of each."""
    high, low = np.ascontiguousarray(high), np.ascontiguousarray(low)
    lengths = np.diff(np.append(starts, len(high)))
    while len(high) > len(starts):
        place = np.arange(len(high)) - np.repeat(starts, lengths)
        kept = np.flatnonzero(place % 2 == 0)
        paired = place[kept] + 1 < np.repeat(lengths, (lengths + 1) // 2)
        left = kept[paired]
        a, b = add((high[left], low[left]), (high[left + 1], low[left + 1]))
        high, low = high[kept], low[kept]
        high[paired], low[paired] = a, b
        lengths = (lengths + 1) // 2
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return high, low


def add(
    a: tuple[NDArray[np.float64], NDArray[np.float64]], b: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sum of two double-double columns. rollups.sql has the same formula: change both."""
    s = a[0] + b[0]
    back = s - a[0]
    rest = ((a[0] - (s - back)) + (b[0] - back)) + (a[1] + b[1])
    high = s + rest
    return high, rest - (high - s)


def means(rows: Rows) -> NDArray[np.float64]:
    """The mean of each bucket; NaN where it has none."""
    return np.asarray((rows["sum"] + rows["sum_low"]) / rows["n"], np.float64)
