"""When a part that ends is started again, and when it is given up."""

from hypothesis import given
from hypothesis import strategies as st

from tram.embedded.part import Backoff


def test_delays_double_up_to_the_longest_and_then_it_is_given_up() -> None:
    backoff = Backoff(first=0.5, longest=4.0, limit=6, window=300.0)
    assert [backoff.delay(float(n)) for n in range(7)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0, None]
    assert backoff.restarts == 6


def test_ends_that_are_long_ago_do_not_count() -> None:
    backoff = Backoff(first=0.5, limit=2, window=60.0)
    assert [backoff.delay(at) for at in (0.0, 1.0, 100.0, 101.0, 102.0)] == [0.5, 1.0, 0.5, 1.0, None]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60).map(sorted))
def test_never_more_restarts_in_a_window_than_the_limit(ends: list[float]) -> None:
    backoff = Backoff(limit=5, window=300.0)
    allowed = []
    for end in ends:
        delay = backoff.delay(end)
        if delay is not None:
            assert 0 < delay <= backoff.longest
            allowed.append(end)
    for start in allowed:
        assert sum(start <= other < start + 300.0 for other in allowed) <= 5
