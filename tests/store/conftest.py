"""What the store's tests share."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from tram.store.batch import Batch

MakeBatch = Callable[[Iterable[tuple[int, int, float]]], Batch]


@pytest.fixture
def batch() -> MakeBatch:
    """Makes a Batch of (datastream, time, result) rows."""

    def make(rows: Iterable[tuple[int, int, float]]) -> Batch:
        ids, times, results = zip(*rows, strict=True)
        quality = np.zeros(len(ids), np.int16)
        return Batch(np.array(ids, np.int32), np.array(times, np.int64), np.array(results, float), quality)

    return make
