"""Times: RFC 3339 both ways, and what is done with a clock that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tram.clock import DAY, SECOND, TimePolicy, format_rfc3339, parse_rfc3339
from tram.quality import Quality

NOW = parse_rfc3339("2026-11-22T10:00:00Z")


@given(st.integers(0, 4_000_000_000_000_000))
def test_rfc3339_round_trip(micros: int) -> None:
    assert parse_rfc3339(format_rfc3339(micros)) == micros


def test_an_offset_is_honoured() -> None:
    assert parse_rfc3339("2026-11-22T17:00:00+07:00") == NOW


def test_a_time_without_an_offset_names_no_moment() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        parse_rfc3339("2026-11-22T17:00:00")


@pytest.mark.parametrize(
    ("claimed", "stored", "flag"),
    [
        (None, NOW, Quality.GOOD),
        (NOW - SECOND, NOW - SECOND, Quality.GOOD),
        (NOW + 299 * SECOND, NOW + 299 * SECOND, Quality.GOOD),
        (NOW - 3600 * SECOND, NOW - 3600 * SECOND, Quality.LATE),
        (NOW + 365 * DAY, NOW, Quality.CLOCK),
        (NOW - 365 * DAY, NOW, Quality.CLOCK),
    ],
)
def test_policy(claimed: int | None, stored: int, flag: Quality) -> None:
    assert TimePolicy().judge(claimed, NOW) == (stored, flag)
