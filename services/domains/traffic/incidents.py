"""Incidents from detectors: California algorithm #8 on pairs, and a fixed threshold beside it. Pure.

California #8 (Payne and Tignor, Transportation Research Record 682, 1978) with occupancies in per cent, i upstream and
i+1 downstream:

    OCCDF = o_i - o_{i+1}     OCCRDF = OCCDF / o_i     DOCCTD = (o_{i+1}(t-2) - o_{i+1}(t)) / o_{i+1}(t-2)

    none --OCCDF >= T1, OCCRDF >= T3, DOCCTD >= T4--> tentative --OCCRDF >= T3--> confirmed (while it is)
    any --DOCCTD <= T2 and o_{i+1} >= T5: a compression wave runs up from downstream--> hold for 5 intervals
    tentative that is not confirmed --> hold for 5 intervals
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE, TENTATIVE, CONFIRMED = 0, 1, 2
HOLD = 5


@dataclass(frozen=True, slots=True)
class California:
    """Thresholds; the defaults are the ones that were published for #8."""

    t1: float = 8.0
    t2: float = -0.4
    t3: float = 0.5
    t4: float = 0.3
    t5: float = 30.0


@dataclass(frozen=True, slots=True)
class Fixed:
    """Occupancy (per cent) above `occupancy`, or speed below `speed`, in `times` intervals together."""

    occupancy: float = 25.0
    speed: float = 40.0
    times: int = 2


def california(upstream: Floats, downstream: Floats, limits: California | None = None) -> Ints:
    """NONE, TENTATIVE or CONFIRMED at each interval; an interval without both values decides nothing and ends a state.

    Args:
        upstream, downstream: occupancies of pairs, per cent, shape (p, n); NaN: none.

    Returns:
        Shape (p, n).
    """
    t = limits or California()
    pairs, n = upstream.shape
    found = np.zeros((pairs, n), np.int64)
    state, hold = np.zeros(pairs, np.int64), np.zeros(pairs, np.int64)
    difference = upstream - downstream
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(upstream > 0, difference / upstream, 0.0)
        before = np.concatenate([np.full((pairs, 2), np.nan), downstream[:, :-2]], axis=1)[:, :n]
        drop = np.where(before > 0, (before - downstream) / before, np.nan)
    for k in range(n):  # a state depends on the one before; pairs go together
        there = ~np.isnan(difference[:, k])
        wave = there & (drop[:, k] <= t.t2) & (downstream[:, k] >= t.t5)
        begins = (difference[:, k] >= t.t1) & (relative[:, k] >= t.t3) & (drop[:, k] >= t.t4)
        stays = relative[:, k] >= t.t3
        free = (state == NONE) & (hold == 0) & there
        after = np.where(free & begins & ~wave, TENTATIVE, NONE)
        after = np.where((state != NONE) & there & stays, CONFIRMED, after)
        missed = (state == TENTATIVE) & ~(there & stays)
        hold = np.where(wave | missed, HOLD, np.maximum(hold - 1, 0))
        state = np.where(wave & (state != CONFIRMED), NONE, after)
        found[:, k] = state
    return found


def fixed(values: Floats, limit: float, times: int, *, above: bool) -> NDArray[np.bool_]:
    """Whether the last `times` values were all beyond the limit, shape (…, n)."""
    with np.errstate(invalid="ignore"):
        beyond = values > limit if above else values < limit
    found = beyond.copy()
    for k in range(1, times):
        found[..., k:] &= beyond[..., : beyond.shape[-1] - k]
        found[..., :k] = False
    return found


@dataclass(frozen=True, slots=True)
class Measured:
    """How a detector of incidents did against labelled windows.

    Attributes:
        windows, detected: labelled, and those with an alarm in them.
        alarms: runs of intervals with an alarm; `false`: those that touch no window.
        intervals: decided ones outside the windows; `false_share`: those with an alarm, as a share of them.
        false_per_day: false alarms a day of data.
        minutes: from a window's start to the first alarm in it, by detected window.
    """

    windows: int
    detected: int
    alarms: int
    false: int
    intervals: int
    false_share: float
    false_per_day: float
    minutes: tuple[float, ...]


def measure(times: Ints, alarm: NDArray[np.bool_], windows: list[tuple[int, int]]) -> Measured:
    """Compares alarms (n,) at times (n,) in seconds with labelled windows (start, end), both in it."""
    inside = np.zeros(len(times), bool)
    minutes = []
    for start, end in windows:
        mine = (times >= start) & (times <= end)
        inside |= mine
        hits = np.flatnonzero(mine & alarm)
        if len(hits):
            minutes.append((int(times[hits[0]]) - start) / 60)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], alarm.astype(np.int8), [0]])))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    false = sum(1 for begin, end in runs if not inside[begin:end].any())
    outside = int((~inside).sum())
    share = float((alarm & ~inside).sum() / outside) if outside else 0.0
    step = float(np.median(np.diff(times))) if len(times) > 1 else 300.0
    days = outside * step / 86_400
    return Measured(
        len(windows), len(minutes), len(runs), false, outside, share, false / days if days else 0.0, tuple(minutes)
    )
