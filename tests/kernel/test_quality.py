"""Quality flags: the vectorised stuck detector equals counting by hand, over any batches."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tram.quality import Quality, StuckDetector, out_of_range

rows = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1.0, 2.0, float("nan")])), max_size=12), max_size=6
)


def by_hand(batches: Sequence[Sequence[tuple[int, float]]], limit: int) -> list[list[int]]:
    last: dict[int, float] = {}
    run: dict[int, int] = {}
    flags = []
    for batch in batches:
        flags.append([])
        for slot, value in batch:
            run[slot] = run.get(slot, 0) + 1 if last.get(slot) == value else 0
            last[slot] = value
            flags[-1].append(int(Quality.STUCK) if run[slot] >= limit else 0)
    return flags


@given(rows, st.integers(1, 4))
def test_stuck_equals_counting_by_hand(batches: list[list[tuple[int, float]]], limit: int) -> None:
    detector = StuckDetector()
    for batch, expected in zip(batches, by_hand(batches, limit), strict=True):
        slots = np.array([slot for slot, _ in batch], np.int64)
        values = np.array([value for _, value in batch], np.float64)
        assert detector.flags(slots, values, np.full(len(batch), limit, np.int32)).tolist() == expected


def test_a_limit_of_zero_is_never_stuck() -> None:
    detector = StuckDetector()
    assert not detector.flags(np.zeros(9, np.int64), np.ones(9), np.zeros(9, np.int32)).any()


def test_out_of_range_and_no_limit() -> None:
    values = np.array([-1.0, 0.0, 5.0, 11.0, 11.0])
    low = np.array([0.0, 0.0, 0.0, 0.0, np.nan])
    high = np.array([10.0, 10.0, 10.0, 10.0, np.nan])
    assert out_of_range(values, low, high).tolist() == [int(Quality.RANGE), 0, 0, int(Quality.RANGE), 0]
