"""The vectorised engine says what the plain reference says, over any history, wherever it is stopped and started."""

from collections.abc import Iterable

import numpy as np
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.alarms.histories import START, THINGS, Row, catalogue, histories, rules, stream
from tests.alarms.reference import One, Told
from tram.alarms.engine import Engine, Readings, unpack
from tram.alarms.plan import plan
from tram.alarms.rules import Rule, document
from tram.alarms.unit import Transition

OFFSET = 7 * 3600 * 1_000_000
quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
fewer = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def readings(rows: Iterable[Row], stored: int) -> Readings:
    given = list(rows)
    return Readings(
        np.array([stream(thing, name) for thing, name, _, _ in given], np.int32),
        np.array([t for _, _, t, _ in given], np.int64), np.array([v for _, _, _, v in given], np.float64),
        np.zeros(len(given), np.int16), np.full(len(given), stored, np.int64),
    )  # fmt: skip


def engine(rule: Rule) -> Engine:
    return Engine([plan(rule, 1, catalogue())], OFFSET, START)


def run(made: Engine, batches: Iterable[tuple[int, list[Row]]]) -> list[Transition]:
    told: list[Transition] = []
    for stored, rows in batches:
        told += made.apply(readings(rows, stored))
        told += made.tick(stored)
    return told


def by_thing(told: Iterable[Transition]) -> dict[int, list[Told]]:
    found: dict[int, list[Told]] = {thing: [] for thing in THINGS}
    for one in told:
        found[one.thing_id].append((one.since, one.at, one.before, one.level, one.value))
    return found


@quick
@given(rules(), histories())
def test_it_says_what_the_reference_says(rule: Rule, history: list[tuple[int, list[Row]]]) -> None:
    note(str(document(rule)))
    note(str(history))
    expected = {}
    for thing in THINGS:
        one = One(rule, START)
        for stored, rows in history:
            one.batch([(name, t, v) for which, name, t, v in rows if which == thing], stored)
            one.tick(stored)
        expected[thing] = one.told
    assert by_thing(run(engine(rule), history)) == expected


@fewer
@given(rules(), histories(), st.data())
def test_a_restart_between_batches_changes_nothing(
    rule: Rule, history: list[tuple[int, list[Row]]], data: st.DataObject
) -> None:
    whole = run(engine(rule), history)
    cut = data.draw(st.integers(0, len(history)))
    first = engine(rule)
    told = run(first, history[:cut])
    kept = first.pack()
    second = Engine([plan(rule, 1, catalogue())], OFFSET, history[-1][0])
    second.take_over(unpack(kept))
    assert told + run(second, history[cut:]) == whole


@fewer
@given(rules(), histories())
def test_time_looked_at_twice_changes_nothing(rule: Rule, history: list[tuple[int, list[Row]]]) -> None:
    made, told = engine(rule), []
    for stored, rows in history:
        told += made.apply(readings(rows, stored))
        told += made.tick(stored)
        assert made.tick(stored) == []
    assert told == run(engine(rule), history)


@fewer
@given(rules(), histories())
def test_levels_chain_up(rule: Rule, history: list[tuple[int, list[Row]]]) -> None:
    for told in by_thing(run(engine(rule), history)).values():
        level = 0
        for _, _, before, after, _ in told:
            assert before == level != after
            level = after
