"""Quality flags of an Observation: 0 is good, and each bit says one thing about a value that is not plainly good.

The low byte (SUSPECT) makes a value count as not good in rollups; higher bits only inform. A smallint in the store.
"""

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray


class Quality(IntFlag):
    """One bit a fact. Stored as a smallint: at most 15 bits."""

    GOOD = 0
    CLOCK = 1  # the device's time was not sane: the receive time stands instead, the claimed one in parameters
    RANGE = 2  # outside what the ObservedProperty can be
    STUCK = 4  # the same value for longer than the ObservedProperty ever holds still
    UNIT = 8  # the unit was missing or unknown where one was needed: stored as sent
    UNDEFINED = 16  # a calculation came out as no number: a division by zero, an overflow
    LATE = 256  # arrived long after its phenomenonTime (store-and-forward): a fact, not a fault
    ESTIMATED = 512  # computed or interpolated, not measured
    CORRECTED = 1024  # changed by a person or a service after it was first stored


SUSPECT = 0x00FF
"""Bits that make a value not good."""


def out_of_range(values: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int16]:
    """RANGE where a value lies outside [low, high]; NaN limits do not limit. All arrays have one shape."""
    with np.errstate(invalid="ignore"):
        outside = (values < low) | (values > high)
    return np.where(outside, np.int16(Quality.RANGE), np.int16(0)).astype(np.int16)


class StuckDetector:
    """Counts how often each Datastream repeated its last value, over batches of columns.

    State is two arrays indexed by a dense slot (one a Datastream), grown on demand. A value equal to the previous one
    of its slot, in order of arrival, adds one to the run; `limit` repeats or more are STUCK; limit 0 never is.
    """

    def __init__(self) -> None:
        self._last = np.full(0, np.nan)
        self._run = np.zeros(0, np.int32)

    def flags(
        self, slots: NDArray[np.int64], values: NDArray[np.float64], limits: NDArray[np.int32]
    ) -> NDArray[np.int16]:
        """Flags a batch. Shapes (n,): slot, value and the slot's limit, in order of arrival; returns STUCK or 0."""
        n = len(slots)
        flags = np.zeros(n, np.int16)
        if n == 0:
            return flags
        self._grow(int(slots.max()) + 1)
        order = np.argsort(slots, kind="stable")
        slot, value = slots[order], values[order]
        first = np.empty(n, bool)
        first[0] = True
        np.not_equal(slot[1:], slot[:-1], out=first[1:])
        previous = np.empty(n)
        previous[1:] = value[:-1]
        previous[first] = self._last[slot[first]]
        same = value == previous
        # A run restarts at every change; a first row that repeats carries its slot's run on from the last batch.
        index = np.arange(n)
        restart = np.where(~same | first, index, 0)
        since = index - np.maximum.accumulate(restart)
        carried = np.where(first & same, self._run[slot] + 1, 0)
        base = np.maximum.accumulate(np.where(restart == index, index, 0))
        run = since + carried[base]
        last = np.empty(n, bool)
        last[-1] = True
        last[:-1] = first[1:]
        self._last[slot[last]] = value[last]
        self._run[slot[last]] = run[last]
        limit = limits[order]
        flags[order] = np.where((limit > 0) & (run >= limit), np.int16(Quality.STUCK), np.int16(0))
        return flags

    def _grow(self, size: int) -> None:
        if size > len(self._last):
            more = max(size, 2 * len(self._last), 1024) - len(self._last)
            self._last = np.concatenate([self._last, np.full(more, np.nan)])
            self._run = np.concatenate([self._run, np.zeros(more, np.int32)])
