"""The pure parts of the HTTP side: the tally, cursors, times, the summary of the province, the cache."""

import contextlib
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cached import Cached
from services.city.discovery import discover
from services.errors import Problem
from services.middleware import host_name, is_loopback_name
from services.paging import decode, encode
from services.province import BINS, summarise
from services.rfc3339 import moment
from services.tally import SECONDS, Tally
from tram.properties import fresh_for, known
from tram.store.series import Value

BATCHES = st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(0, 1000)), max_size=30)


@given(batches=BATCHES, data=st.data())
def test_the_total_is_right_whenever_it_was_counted(batches: list[tuple[int, int]], data: st.DataObject) -> None:
    def total(upto: int) -> int:
        return 10_000_000 + sum(n if op == 0 else -n if op == 2 else 0 for op, n in batches[:upto])

    counted = data.draw(st.integers(0, len(batches)), label="batches in the count's snapshot")
    first = data.draw(st.integers(0, counted), label="where the look began")
    known = data.draw(st.integers(0, len(batches)), label="when the count was known")
    tally = Tally()
    for i in range(len(batches) + 1):
        if i == known:
            tally.base(total(counted), counted)
        if first <= i < len(batches):
            tally.add(i + 1, 1000.0 + i, *batches[i])
            tally.add(i + 1, 1000.0 + i, *batches[i])  # read twice: counted once
    assert tally.total == total(len(batches))


def test_rates_are_of_whole_seconds() -> None:
    tally = Tally()
    for second in range(1000, 1200):
        tally.add(second, second + 0.5, 0, 10)
    rates = tally.rates(1200.9)
    assert rates.until == 1200
    assert rates.per_second == [10] * SECONDS
    assert rates.now == 10
    assert tally.rates(1300.0).per_second[:20] == [10] * 20
    assert tally.rates(1300.0).per_second[20:] == [0] * 100


@given(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1)))
def test_a_cursor_comes_back_as_it_went(key: tuple[str, int]) -> None:
    if "\0" in key[0] or any(0xD800 <= ord(c) < 0xE000 for c in key[0]):
        return
    assert decode(encode(key), tuple[str, int]) == key


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: b.decode("latin-1"))))
def test_any_other_cursor_is_refused_or_fits(text: str) -> None:
    key: object = (0,)
    with contextlib.suppress(Problem):
        key = decode(text, tuple[int])
    assert isinstance(key, tuple)
    assert isinstance(key[0], int)


@given(st.integers(0, 290 * 365 * 86_400), st.integers(0, 999_999), st.integers(-1439, 1439))
def test_times_keep_their_moment(seconds: int, micros: int, minutes: int) -> None:
    local = datetime(1901, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=micros)
    offset = timedelta(minutes=minutes)
    sign, size = ("-", -minutes) if minutes < 0 else ("+", minutes)
    text = f"{local.isoformat().removesuffix('+00:00')}{sign}{size // 60:02d}:{size % 60:02d}"
    assert moment(text) == local - offset


@pytest.mark.parametrize("text", ["", "now", "2026-W01-1", "20260101T000000Z", "2026-01-01T24:00:00Z", "١٢٣٤-01-01", 5])
def test_other_times_are_refused(text: object) -> None:
    with pytest.raises(ValueError):
        moment(text)


def value(**changes: Any) -> Value:
    base: dict[str, Any] = {
        "datastream_id": 1, "thing": "a", "thing_label": "", "property": "pm2_5", "unit": "ug/m3",
        "time": datetime.now(UTC), "result": 1.0, "result_json": None, "quality": 0,
    }  # fmt: skip
    return Value(**(base | changes))


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), max_size=40))
def test_the_summary_counts_every_good_number(numbers: list[float | None]) -> None:
    now = datetime.now(UTC)
    province = summarise([value(datastream_id=i, result=x) for i, x in enumerate(numbers)], [], now)
    if not numbers:
        assert province.properties == []
        return
    (summary,) = province.properties
    good = [x for x in numbers if x is not None]
    assert summary.datastreams == len(numbers)
    assert sum(summary.histogram) == len(good)
    if good:
        assert (summary.low, summary.high) == (min(good), max(good))
        assert summary.middle is not None
        assert len(summary.histogram) == BINS
    else:
        assert summary.low is None


def test_bad_values_are_told_but_not_counted_in_the_spread() -> None:
    now = datetime.now(UTC)
    rows = [value(result=5.0), value(result=9e9, quality=2), value(time=now - timedelta(hours=1), result=6.0)]
    (summary,) = summarise(rows, [], now).properties
    assert (summary.datastreams, summary.fresh, summary.suspect, summary.high) == (3, 2, 1, 6.0)


def test_places_are_live_late_or_never() -> None:
    now = datetime.now(UTC)
    rows = [value(thing="a"), value(thing="b", time=now - timedelta(hours=1))]
    places = summarise(rows, [(1, "a", 105.0, 21.0), (2, "b", 105.0, 21.0), (3, "c", 105.0, 21.0)], now).places
    assert [(p.thing, p.state) for p in places] == [("a", "live"), ("b", "late"), ("c", "never")]


def test_a_value_is_new_until_the_next_of_its_property_is_late() -> None:
    """An hour named by its beginning, a day, a forecast's newest hour; and what says nothing of the device itself."""
    discover()
    now = datetime.now(UTC)
    assert (fresh_for(None), fresh_for(known("pm2_5"))) == (900, 900)

    def rows(property: str, *hours: float) -> list[Value]:
        return [value(thing="a", property=property, time=now - timedelta(hours=hour)) for hour in hours]

    def fresh(property: str, *hours: float) -> int:
        (summary,) = summarise(rows(property, *hours), [], now).properties
        return summary.fresh

    assert fresh("vn_aqi", 1.1, 2.4, 2.6) == 2
    assert fresh("lden", 38.0, 48.9, 49.1) == 2
    assert fresh("vn_aqi_forecast", -22.8, -21.6, -21.0) == 2
    assert fresh("rain_1h", 0.3, 0.5) == 1

    def state(*values: Value) -> str:
        return summarise(values, [(1, "a", 105.0, 21.0)], now).places[0].state

    ahead = rows("vn_aqi_forecast", -22.8)
    assert state(*rows("vn_aqi_estimate", 1.5)) == "live"  # measures nothing
    assert state(*rows("pm2_5", 1.0), *ahead) == "late"  # fell silent, whatever is computed of it
    assert state(*rows("pm2_5", 1.0), *rows("co", 0.1), *ahead) == "live"


def test_an_error_is_kept_shortly_and_a_value_as_long_as_said() -> None:
    clock = [0.0]
    answers: list[Any] = [1, ValueError("away"), 2]

    def compute() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    cached = Cached(compute, 60, lambda: clock[0])
    assert cached.get() == cached.get() == 1
    clock[0] = 61
    for _ in range(2):
        with pytest.raises(ValueError):
            cached.get()
    clock[0] = 62
    assert cached.get() == 2


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1:8080", True), ("127.8.8.8", True), ("localhost", True), ("LOCALHOST:1", True), ("[::1]:8080", True),
        ("a.localhost", True), ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False), ("[::1", False),
        ("10.0.0.1", False), ("localhost.evil.example", False),
    ],
)  # fmt: skip
def test_names_of_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback_name(host_name(host)) is loopback


def test_medians_of_random_values_lie_between() -> None:
    chance = random.Random(7)
    for _ in range(50):
        numbers = [chance.gauss(0, 10) for _ in range(chance.randint(1, 30))]
        rows = [value(datastream_id=i, result=x) for i, x in enumerate(numbers)]
        (summary,) = summarise(rows, [], datetime.now(UTC)).properties
        assert summary.low is not None
        assert summary.middle is not None
        assert summary.high is not None
        assert summary.low <= summary.middle <= summary.high
        assert math.isfinite(summary.middle)
