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
    order, starts = _order(rows["datastream_id"], floor(rows["bucket"], width, offset) // width)
    rows = rows[order]
    out = BUCKET.empty(len(starts))
    out["datastream_id"], out["bucket"] = rows["datastream_id"][starts], floor(rows["bucket"][starts], width, offset)
    for name, reduce in (
        ("n", np.add), ("good", np.add), ("min", np.minimum), ("max", np.maximum), ("first_time", np.minimum),
        ("last_time", np.maximum),
    ):  # fmt: skip
        out[name] = reduce.reduceat(rows[name], starts)
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows))))
    for value, time in (("first", "first_time"), ("last", "last_time")):
        holds = np.flatnonzero(rows[time] == out[time][group])
        out[value][group[holds]] = rows[value][holds]
    high = _sums(np.ascontiguousarray(rows["sum"]), starts)
    out["sum"], out["sum_low"] = add(high, _sums(np.ascontiguousarray(rows["sum_low"]), starts))
    return out


def combine_observations(
    ids: NDArray[np.int32], times: NDArray[np.int64], results: NDArray[np.float64], quality: NDArray[np.int16],
    width: int,
) -> Rows:  # fmt: skip
    """`combine(of_observations(…), width)`, at a third of its cost: this is what runs for every row that arrives."""
    finite = np.isfinite(results)
    if not finite.all():
        ids, times, results, quality = ids[finite], times[finite], results[finite], quality[finite]
    if len(ids) == 0:
        return BUCKET.empty()
    # By time within a bucket comes of itself: the rows of a Datastream are few, and sorted by what sorts them apart.
    order = np.lexsort((times, ids))
    ids, times, results = ids[order], times[order], results[order]
    buckets = times // width
    new = np.ones(len(ids), bool)
    np.logical_or(ids[1:] != ids[:-1], buckets[1:] != buckets[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(ids)) - 1
    out = BUCKET.empty(len(starts))
    out["datastream_id"], out["bucket"] = ids[starts], buckets[starts] * width
    out["n"] = ends - starts + 1
    out["good"] = np.add.reduceat(((quality[order] & SUSPECT) == 0).astype(np.int32), starts)
    out["min"], out["max"] = np.minimum.reduceat(results, starts), np.maximum.reduceat(results, starts)
    out["first"], out["first_time"] = results[starts], times[starts]
    out["last"], out["last_time"] = results[ends], times[ends]
    if max(-out["min"].min(), out["max"].max()) > MOST:
        results = np.where(np.abs(results) > MOST, np.nan, results)
    out["sum"], out["sum_low"] = _sums(results, starts)
    return out


def _order(ids: NDArray[np.int32], buckets: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(order by id and bucket, where each pair starts in it)."""
    order = np.lexsort((buckets, ids))
    ids, buckets = ids[order], buckets[order]
    new = np.ones(len(ids), bool)
    new[1:] = (ids[1:] != ids[:-1]) | (buckets[1:] != buckets[:-1])
    return order, np.flatnonzero(new)


def _sums(values: NDArray[np.float64], starts: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of stretches as double-double, by error-free extraction (S. M. Rump, T. Ogita, S. Oishi, AccSum, 2008).

    Each round takes from every value its bits above a common limit: those add up without rounding in any order.
    """
    lengths = np.diff(np.append(starts, len(values)))
    room = 2.0 ** np.ceil(np.log2(lengths + 2))
    total = (np.zeros(len(starts)), np.zeros(len(starts)))
    rest = values
    for _ in range(5):
        largest = np.maximum.reduceat(np.abs(rest), starts)
        if not largest.any():
            return total
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            limit = np.where(largest > 0, room * 2.0 ** np.ceil(np.log2(largest)), 0.0)
        common = np.repeat(limit, lengths)
        taken = (common + rest) - common
        rest = rest - taken
        total = add(total, (np.add.reduceat(taken, starts), np.zeros(len(starts))))
    return add(total, (np.add.reduceat(rest, starts), np.zeros(len(starts))))


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
