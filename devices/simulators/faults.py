"""Sensors fail: in every two hours a few Things get stuck, drift, fall silent, come late or say everything twice."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from devices.simulators.noise import Floats, Ints, uniform

WINDOW = 2 * 3_600_000
LATE = 10 * 60_000
"""Milliseconds by which a late Thing's messages come after their time."""


class Fault(IntEnum):
    """What is wrong with a Thing."""

    NONE = 0
    STUCK = 1
    DRIFTING = 2
    SILENT = 3
    LATE = 4
    DUPLICATE = 5


SHARES = {Fault.STUCK: 0.010, Fault.DRIFTING: 0.010, Fault.SILENT: 0.012, Fault.LATE: 0.006, Fault.DUPLICATE: 0.010}
"""The share of the Things that have each fault at any time."""


def faults_of(seed: int, thing: Ints, time: Ints) -> tuple[NDArray[np.int64], Ints]:
    """(fault, since when in ms) of each Thing at each time; shapes (n,). Windows begin at another time for each."""
    offset = (uniform(seed + 41, thing) * WINDOW).astype(np.int64)
    window = (time + offset) // WINDOW
    since = window * WINDOW - offset
    drawn = uniform(seed + 42, thing, window)
    fault = np.zeros(np.shape(drawn), np.int64)
    edge = 0.0
    for kind, share in SHARES.items():
        fault[(drawn >= edge) & (drawn < edge + share)] = kind
        edge += share
    return fault, since


def drift(value: Floats, fault: NDArray[np.int64], since: Ints, time: Ints) -> Floats:
    """What a drifting sensor makes of a value: up to a quarter more by the end of its window."""
    return np.where(fault == Fault.DRIFTING, value * (1.0 + 0.25 * (time - since) / WINDOW), value)
