"""Randomness without a memory: a value for every (seed, stream, moment), the same whenever it is asked for."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniform(seed: int, stream: Ints, moment: Ints | int = 0) -> Floats:
    """Uniform in [0, 1). `stream` and `moment` broadcast against each other."""
    a = np.asarray(stream, np.int64).astype(np.uint64)
    b = np.asarray(moment, np.int64).astype(np.uint64)
    x = _mix(a * np.uint64(0x9E3779B97F4A7C15) + np.uint64((seed * 2 + 1) & (2**64 - 1)))
    return (_mix(x + b * np.uint64(0xD1B54A32D192ED03)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, stream: Ints, moment: Ints | int = 0) -> Floats:
    """Mean 0, variance 1, within about 3.5 (the sum of four uniforms): white over moments."""
    stream = np.asarray(stream, np.int64)
    total = sum(uniform(seed + 7919 * k, stream, moment) for k in range(4))
    return np.asarray((total - 2.0) * 3**0.5)


def wander(seed: int, stream: Ints, time: Ints, period: int) -> Floats:
    """A smooth random walk about 0, variance near 1, that forgets itself within a few `period` (in time's unit)."""
    bucket, rest = np.divmod(time, period)
    x = rest / period
    x = x * x * (3.0 - 2.0 * x)
    return 1.2 * (normal(seed, stream, bucket) * (1.0 - x) + normal(seed, stream, bucket + 1) * x)
