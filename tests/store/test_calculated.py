"""Calculated Datastreams on real databases: whatever the history, they are what a full recomputation says."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tests.store.conftest import MakeBatch
from tram.clock import to_micros
from tram.errors import ConflictError, NotFoundError, PayloadError
from tram.expressions import ExpressionError
from tram.quality import Quality
from tram.store import calculated, calculated_rows, calculating, committed, observations, registry, retention
from tram.store.batch import Batch
from tram.store.calculated import Draft
from tram.store.calculating import Calculator
from tram.store.committed import Op
from tram.store.database import Connection
from tram.store.observations import EARLIEST, LATEST

SECOND = 1_000_000
T0 = 1_780_000_000 * SECOND
AGE = 60 * SECOND
Rows = dict[int, float]


def streams(conn: Connection, *names: str, unit: str = "") -> list[int]:
    """Datastreams of the Thing t with these properties."""
    keys = [registry.Key("t", name, unit) for name in names]
    found = registry.resolve(conn, keys, "open")
    return [found[key].datastream_id for key in keys]  # type: ignore[union-attr]


def settle(conn: Connection, calculator: Calculator, steps: int = 1000) -> None:
    """Until nothing is left to do."""
    for _ in range(steps):
        more = calculator.mark(conn)
        conn.commit()
        done = calculator.compute(conn)
        conn.commit()
        if not more and not done:
            return
    raise AssertionError("it never settles")


def stored(conn: Connection, id: int) -> list[tuple[int, float, int]]:
    """(seconds after T0, value, quality without CORRECTED)."""
    rows = conn.execute(
        "SELECT phenomenon_time, result, quality FROM observation WHERE datastream_id = %s ORDER BY 1", (id,)
    ).fetchall()
    return [
        ((to_micros(t) - T0) // SECOND, math.nan if v is None else v, q & ~int(Quality.CORRECTED)) for t, v, q in rows
    ]


def numbers(conn: Connection, id: int) -> Rows:
    """Good numbers: seconds -> value."""
    return {t: v for t, v, q in stored(conn, id) if not math.isnan(v) and not q & 0xFF}


def put(conn: Connection, op: Op, rows: Iterable[tuple[int, int, float, int]]) -> None:
    ids, times, results, quality = zip(*rows, strict=True)
    batch = Batch(
        np.array(ids, np.int32), T0 + np.array(times, np.int64) * SECOND, np.array(results, float),
        np.array(quality, np.int16),
    )  # fmt: skip
    if op is Op.INSERT:
        observations.write(conn, batch)
    elif op is Op.CORRECT:
        observations.correct(conn, batch)
    else:
        observations.delete(conn, batch.datastream_id, batch.phenomenon_time)
    conn.commit()


def at(rows: Rows, t: float, age: float = 60) -> float | None:
    found = [s for s in rows if t - age < s <= t]
    return rows[max(found)] if found else None


def expected(a: Rows, b: Rows) -> dict[str, dict[int, float]]:
    """Word for word what the three definitions below say."""
    mean: dict[int, float] = {}
    for t in a:
        inside = [v for s, v in sorted(a.items()) if t - 30 < s <= t]
        mean[t] = sum(inside) / len(inside)
    ratio: dict[int, float] = {}
    for t in sorted(a.keys() | b.keys()):
        x, y = at(a, t), at(b, t)
        if x is not None and y is not None:
            ratio[t] = x / y if y else math.nan
    chain: dict[int, float] = {}
    good = {t: v for t, v in ratio.items() if not math.isnan(v)}
    for t in sorted(mean.keys() | good.keys()):
        x, y = at(mean, t), at(good, t)
        if x is not None:
            chain[t] = x - (0.0 if y is None else y)
    return {"mean": mean, "ratio": ratio, "chain": chain}


VALUE = st.sampled_from([0.0, 1.0, 2.0, 0.5, -4.0, 8.0])
ROW = st.tuples(st.integers(0, 1), st.integers(0, 40).map(lambda k: k * 7), VALUE, st.sampled_from([0, 0, 0, 2, 256]))
CHANGE = st.tuples(
    st.sampled_from([Op.INSERT, Op.INSERT, Op.CORRECT, Op.DELETE]), st.lists(ROW, min_size=1, max_size=6)
)
HISTORY = st.lists(CHANGE | st.booleans(), max_size=14)
LATE: list[Any] = [
    (Op.INSERT, [(0, 0, 1.0, 0), (0, 70, 2.0, 0), (1, 0, 0.0, 0)]), True, (Op.INSERT, [(0, 63, 8.0, 256)]), True,
    (Op.CORRECT, [(1, 0, 2.0, 0)]), True, (Op.DELETE, [(0, 63, 0.0, 0), (1, 0, 0.0, 0)]), False,
]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY)
@example(LATE)
def test_they_equal_a_full_recomputation_after_any_history(one_database: Database, history: list[Any]) -> None:
    conn = one_database.connect()
    conn.execute("TRUNCATE observation, committed, committed_position, calculated, calculated_input, calculated_mark")
    a, b = streams(conn, "a", "b")
    calculator = Calculator()
    calculator.start(conn)
    first = calculated.add(
        conn, Draft(thing="t", property="mean", expression="mean(a, '30s')", inputs={"a": a}, max_age=AGE), "m:test"
    )
    second = calculated.add(
        conn, Draft(thing="t", property="ratio", expression="a / b", inputs={"a": a, "b": b}, max_age=AGE), "m:test"
    )
    assert first.output_id is not None
    assert second.output_id is not None
    chain = Draft(
        thing="v", property="chain", expression="m - coalesce(r, 0)",
        inputs={"m": first.output_id, "r": second.output_id}, max_age=AGE,
    )  # fmt: skip
    outputs = {"mean": first.output_id, "ratio": second.output_id}
    for step, change in enumerate(history):
        if step == len(history) // 2:  # one that comes when there is history
            outputs["chain"] = calculated.add(conn, chain, "m:test").output_id or 0
            conn.commit()
        if isinstance(change, bool):
            if change:
                settle(conn, calculator)
            else:
                calculator.mark(conn, rows=1)
                conn.commit()
                calculator.compute(conn)
                conn.rollback()  # a process that dies: neither values nor marks are lost
        else:
            put(conn, change[0], [((a, b)[row[0]], *row[1:]) for row in change[1]])
    settle(conn, calculator)
    want = expected(numbers(conn, a), numbers(conn, b))
    for name, id in outputs.items():
        found = stored(conn, id)
        assert [t for t, _, _ in found] == sorted(want[name]), name
        for t, got, quality in found:
            flags = int(Quality.ESTIMATED) | (int(Quality.UNDEFINED) if math.isnan(want[name][t]) else 0)
            assert quality == flags
            assert got == pytest.approx(want[name][t], rel=1e-12, abs=1e-12, nan_ok=True), (name, t)
    conn.close()


def test_only_what_is_affected_is_written(one_database: Database) -> None:
    conn = one_database.connect()
    (a,) = streams(conn, "a")
    calculator = Calculator()
    calculator.start(conn)
    draft = Draft(thing="t", property="m", expression="mean(a, '30s')", inputs={"a": a}, max_age=AGE)
    output = calculated.add(conn, draft, "m:test").output_id
    put(conn, Op.INSERT, [(a, t, float(t), 0) for t in range(0, 600, 10)])
    settle(conn, calculator)
    assert len(stored(conn, output or 0)) == 60
    reader = committed.Reader("test")
    reader.start(conn)
    put(conn, Op.CORRECT, [(a, 300, -7.0, 0)])
    settle(conn, calculator)
    changed = [one for one in reader.take(conn) if output in one.batch.datastream_id]
    assert [(one.op, ((one.batch.phenomenon_time - T0) // SECOND).tolist()) for one in changed] == [
        (Op.CORRECT, [300, 310, 320])
    ]
    # The same again changes nothing, and is not even written.
    calculated.mark(conn, [calculated.list_definitions(conn)[0].id], [calculated.ALL[0]], [calculated.ALL[1]])
    settle(conn, calculator)
    assert reader.take(conn) == []


def test_long_history_goes_in_pages_and_new_values_do_not_wait(
    one_database: Database, batch: MakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (calculating, calculated_rows):
        monkeypatch.setattr(module, "ROWS", 500)
    conn = one_database.connect()
    (a,) = streams(conn, "a")
    put(conn, Op.INSERT, [(a, t, float(t), 0) for t in range(3000)])
    calculator = Calculator()
    calculator.start(conn)
    draft = Draft(thing="t", property="m", expression="mean(a, '30s')", inputs={"a": a}, max_age=AGE)
    output = calculated.add(conn, draft, "m:test").output_id or 0
    conn.commit()
    put(conn, Op.INSERT, [(a, 9000, 5.0, 0)])
    calculator.mark(conn)
    assert calculator.compute(conn)
    conn.commit()
    found = [t for t, _, _ in stored(conn, output)]
    assert found[-1] == 9000
    assert len(found) < 1000
    assert calculated.list_definitions(conn)[0].waiting
    settle(conn, calculator)
    assert [t for t, _, _ in stored(conn, output)] == [*range(3000), 9000]
    assert not calculated.list_definitions(conn)[0].waiting
    # A window that holds more rows than are ever read at once is a fault that says so.
    wide = Draft(thing="t", property="w", expression="mean(a, '1h')", inputs={"a": a}, max_age=AGE)
    id = calculated.add(conn, wide, "m:test").id
    settle(conn, calculator)
    assert "shorter window" in calculated.get(conn, id).fault


def test_faults_show_and_the_others_go_on(one_database: Database) -> None:
    conn = one_database.connect()
    a, b, c = streams(conn, "a", "b", "c")
    calculator = Calculator()
    calculator.start(conn)
    broken = calculated.add(conn, Draft(thing="t", property="x", expression="a + b", inputs={"a": a, "b": b}), "m:t")
    divides = calculated.add(conn, Draft(thing="t", property="y", expression="1 / a", inputs={"a": a}), "m:t")
    whole = calculated.add(conn, Draft(thing="t", property="z", expression="a + 1", inputs={"a": a}), "m:t")
    unit = calculated.add(conn, Draft(thing="t", property="u", expression="a + c", inputs={"a": a, "c": c}), "m:t")
    conn.execute("DELETE FROM datastream WHERE id = %s", (b,))
    conn.execute("UPDATE datastream SET unit = 'm' WHERE id = %s", (c,))
    put(conn, Op.INSERT, [(a, 0, 0.0, 0), (a, 1, 4.0, 0), (c, 0, 1.0, 0)])
    settle(conn, calculator)
    found = {one.id: one for one in calculated.list_definitions(conn)}
    assert found[broken.id].fault == "the input b (t / b) was deleted: change the definition"
    assert found[broken.id].fault_at is not None
    assert "measure different things" in found[unit.id].fault
    assert (found[divides.id].fault, found[divides.id].undefined) == ("", 1)
    assert found[divides.id].undefined_at is not None
    assert stored(conn, divides.output_id or 0)[0][2] == int(Quality.ESTIMATED | Quality.UNDEFINED)
    assert [v for _, v, _ in stored(conn, whole.output_id or 0)] == [1.0, 5.0]
    # Changed so that it fits, it computes again; the result's own Datastream deleted is a fault too.
    calculated.change(conn, broken.id, Draft(thing="t", property="x", expression="a", inputs={"a": a}))
    conn.execute("DELETE FROM observation WHERE datastream_id = %s", (whole.output_id,))
    conn.execute("DELETE FROM datastream WHERE id = %s", (whole.output_id,))
    put(conn, Op.INSERT, [(a, 2, 1.0, 0)])
    settle(conn, calculator)
    found = {one.id: one for one in calculated.list_definitions(conn)}
    assert found[broken.id].fault == ""
    assert len(stored(conn, broken.output_id or 0)) == 3
    assert "result's Datastream was deleted" in found[whole.id].fault
    with pytest.raises(ConflictError, match="was deleted"):
        calculated.change(conn, whole.id, Draft(thing="t", property="z", expression="a", inputs={"a": a}))


def test_no_chain_comes_back_to_itself(one_database: Database) -> None:
    conn = one_database.connect()
    (a,) = streams(conn, "a")
    first = calculated.add(conn, Draft(thing="t", property="x", expression="a", inputs={"a": a}), "m:t")
    second = calculated.add(
        conn, Draft(thing="t", property="y", expression="x", inputs={"x": first.output_id or 0}), "m:t"
    )
    for inputs in ({"a": second.output_id or 0}, {"a": first.output_id or 0}):
        with pytest.raises(ConflictError, match="from itself"):
            calculated.change(conn, first.id, Draft(thing="t", property="x", expression="a", inputs=inputs))
    conn.rollback()


def test_what_is_refused(one_database: Database) -> None:
    conn = one_database.connect()
    (a,) = streams(conn, "a", unit="m")
    conn.commit()
    good: dict[str, Any] = {"thing": "t", "property": "x", "unit": "m", "expression": "a", "inputs": {"a": a}}
    cases: list[tuple[type[Exception], dict[str, Any]]] = [
        (NotFoundError, {"inputs": {"a": 999_999}}),
        (ExpressionError, {"expression": "a +"}),
        (ExpressionError, {"unit": "s"}),
        (PayloadError, {"unit": "furlong"}),
        (PayloadError, {"property": "pm2_5", "unit": "m"}),
        (PayloadError, {"triggers": ["b"]}),
        (PayloadError, {"property": ""}),
        (PayloadError, {"thing": "a\x01b"}),
    ]
    for error, change in cases:
        with pytest.raises(error):
            calculated.add(conn, Draft(**good | change), "m:t")
        conn.rollback()
    made = calculated.add(conn, Draft(**good), "m:t")
    with pytest.raises(ConflictError, match="calculated already"):
        calculated.add(conn, Draft(**good), "m:t")
    conn.rollback()
    made = calculated.add(conn, Draft(**good), "m:t")
    conn.commit()
    for change in ({"property": "other"}, {"unit": "km"}):
        with pytest.raises(ConflictError, match="remove it"):
            calculated.change(conn, made.id, Draft(**good | change))
        conn.rollback()
    calculated.remove(conn, made.id)
    with pytest.raises(NotFoundError):
        calculated.get(conn, made.id)
    with pytest.raises(NotFoundError):
        calculated.remove(conn, made.id)
    marked = conn.execute("SELECT properties FROM datastream WHERE id = %s", (made.output_id,)).fetchone()
    assert marked == ({"computed": "calculated"},)
    # The same result may be made again; it goes on in the same Datastream.
    assert calculated.add(conn, Draft(**good), "m:t").output_id == made.output_id


def test_what_was_computed_from_rows_that_retention_took_stands(one_database: Database) -> None:
    conn = one_database.connect()
    (a,) = streams(conn, "a")
    calculator = Calculator()
    calculator.start(conn)
    made = calculated.add(
        conn, Draft(thing="t", property="x", expression="mean(a, '30s')", inputs={"a": a}, max_age=AGE), "m:t"
    )
    put(conn, Op.INSERT, [(a, t, 1.0, 0) for t in range(100)])
    settle(conn, calculator)
    retention.put(conn, [retention.Policy("a", "raw", 1)])
    while retention.step(conn, 7)[1]:
        pass
    conn.commit()
    if numbers(conn, a):  # the rows are younger than a day where clocks are odd
        pytest.skip("the clock stands before the rows")
    calculated.mark(conn, [made.id], [calculated.ALL[0]], [calculated.ALL[1]])
    settle(conn, calculator)
    assert len(stored(conn, made.output_id or 0)) == 100


def test_a_reader_that_fell_behind_marks_everything(one_database: Database) -> None:
    conn = one_database.connect()
    (a,) = streams(conn, "a")
    calculator = Calculator()
    calculator.start(conn)
    made = calculated.add(conn, Draft(thing="t", property="x", expression="a", inputs={"a": a}), "m:t")
    settle(conn, calculator)
    put(conn, Op.INSERT, [(a, 0, 1.0, 0)])
    conn.execute("TRUNCATE committed")
    conn.execute("UPDATE committed_ring SET trimmed = (SELECT last_value FROM committed_seq)")
    conn.commit()
    with pytest.raises(committed.FellBehindError):
        calculator.mark(conn)
    conn.rollback()
    calculator.rebuild(conn)
    conn.commit()
    settle(conn, calculator)
    assert [v for _, v, _ in stored(conn, made.output_id or 0)] == [1.0]


def test_times_at_the_ends_of_the_calendar(one_database: Database) -> None:
    conn = one_database.connect()
    (a,) = streams(conn, "a")
    calculator = Calculator()
    calculator.start(conn)
    made = calculated.add(conn, Draft(thing="t", property="x", expression="sum(a, 2)", inputs={"a": a}), "m:t")
    ends, none = np.array([EARLIEST, LATEST]), np.zeros(2, np.int16)
    observations.write(conn, Batch(np.array([a, a], np.int32), ends, np.array([1.0, 2.0]), none))
    conn.commit()
    settle(conn, calculator)
    assert [v for _, v, _ in stored(conn, made.output_id or 0)] == [1.0, 2.0]
