"""Rows to batches: the rules of gateway/normalise.py, without servers."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directory import ACTIVE, Directory
from gateway.framing import Chunk
from gateway.normalise import Normaliser, Work
from gateway.rows import NO_TIME, Rows
from tram.clock import DAY, SECOND, TimePolicy
from tram.quality import Quality

NOW = 1_800_000_000 * SECOND
POLICY = TimePolicy()


def normalise(values: list[Any], times: list[int | None] | None = None, **columns: float) -> Work:
    """One message of one Thing for each value, all of Datastream 7."""
    directory = Directory("open", 10)
    slot = directory.slot("thing", "property", "")
    directory.state[slot], directory.datastream[slot] = ACTIVE, 7
    for name, value in columns.items():
        getattr(directory, name)[slot] = value
    n = len(values)
    chunk = Chunk([b"t"] * n, [b"\0\1"] * n, [b"?"] * n, received=NOW)
    rows = Rows([chunk], counts=[1] * n, times=[*(times or [None] * n)])
    for value in values:
        rows.add(slot, value)
    return Normaliser(directory, POLICY).normalise(rows)


def test_numbers_texts_and_what_is_neither() -> None:
    work = normalise([1, 2.5, True, False, "auto", [1, 2], {"a": None}, math.nan, math.inf, 10**400])
    assert work.batch.result[:4].tolist() == [1.0, 2.5, 1.0, 0.0]
    assert np.isnan(work.batch.result[4:]).all()
    assert work.batch.result_json == {4: b'"auto"', 5: b"[1,2]", 6: b'{"a":null}'}
    assert [letter.reason for letter in work.letters] == ["nan"] * 3
    assert len(work.batch) == 7


def test_a_catalogued_property_is_a_number() -> None:
    work = normalise(["12.5", " 3e2 ", "abc", "NaN", "1_0", "9e999", [1], {"a": 1}, True, 4, "٣"], measured=True)
    assert work.batch.result.tolist() == [12.5, 300.0, 1.0, 4.0]
    assert work.batch.result_json == {}
    reasons = [letter.reason for letter in work.letters]
    assert reasons == ["type", "type", "type", "nan", "type", "type", "type"]
    assert work.letters[0].detail == "thing property: text stands where a number is expected"
    assert work.letters[4].detail == "thing property: a list stands where a number is expected"


def test_a_bad_row_moves_the_texts_behind_it() -> None:
    work = normalise([math.nan, "a", 1.0, math.nan, "b"])
    assert work.batch.result_json == {0: b'"a"', 2: b'"b"'}
    assert work.sources.tolist() == [1, 2, 4]


def test_units_ranges_and_flags() -> None:
    work = normalise([68.0, 500.0], scale=5 / 9, offset=-160 / 9, low=-30, high=60, flags=int(Quality.UNIT))
    assert work.batch.result.tolist() == pytest.approx([20.0, 260.0])
    assert work.batch.quality.tolist() == [Quality.UNIT, Quality.UNIT | Quality.RANGE]


def test_stuck() -> None:
    assert normalise([5.0] * 4 + [6.0], stuck=2).batch.quality.tolist() == [0, 0, Quality.STUCK, Quality.STUCK, 0]
    assert normalise([5.0] * 4).batch.quality.tolist() == [0] * 4


def test_times() -> None:
    late, past, future = NOW - 3600 * SECOND, NOW - 100 * DAY, NOW + DAY
    work = normalise([0.0] * 5, [None, late, past, future, 10**30])
    assert work.batch.phenomenon_time.tolist() == [NOW, late, NOW + 2, NOW + 3, NOW + 4]
    assert work.batch.quality.tolist() == [0, Quality.LATE, Quality.CLOCK, Quality.CLOCK, Quality.CLOCK]
    assert sorted(work.batch.parameters) == [2, 3, 4]
    assert work.batch.parameters[3] == b'{"claimed_time":"2027-01-16T08:00:00Z"}'


@given(st.lists(st.one_of(st.none(), st.integers(-(2**60), 2**60)), min_size=1), st.integers(0, 2**55))
def test_columns_judge_as_one_by_one(claimed: list[int | None], received: int) -> None:
    column = np.array([NO_TIME if c is None else c for c in claimed], np.int64)
    times, quality = POLICY.judge_columns(column, column != NO_TIME, np.full(len(claimed), received))
    single = [POLICY.judge(c, received) for c in claimed]
    assert list(zip(times.tolist(), quality.tolist(), strict=True)) == [(t, int(q)) for t, q in single]
