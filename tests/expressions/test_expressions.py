"""The language of calculated Datastreams: what it takes, what it refuses and where, what it computes."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tram.expressions import Computed, ExpressionError, Series, compile_expression, duration, run
from tram.expressions.measures import DIMENSIONS, conversion, of_unit
from tram.units import UNITS, linear

SECOND = 1_000_000
HOUR = 3600 * SECOND
T0 = 1_780_000_000 * SECOND


def series(*rows: tuple[float, float]) -> Series:
    """(seconds after T0, value) rows."""
    return Series(
        np.array([T0 + round(t * SECOND) for t, _ in rows], np.int64), np.array([v for _, v in rows], np.float64)
    )


def value(text: str, units: dict[str, str], unit: str, at: float, **inputs: Series) -> float | None:
    program = compile_expression(text, units, unit, HOUR)
    found = run(program, inputs, np.array([T0 + round(at * SECOND)], np.int64))
    return float(found.values[0]) if found.present[0] else None


def test_every_unit_has_a_dimension_and_converts_as_the_table_says() -> None:
    assert {unit.dimension for unit in UNITS.values()} == DIMENSIONS.keys()
    for source in UNITS:
        for target in UNITS:
            if UNITS[source].dimension == UNITS[target].dimension:
                fit = conversion(of_unit(source), of_unit(target))
                assert fit is not None
                assert fit == pytest.approx(linear(source, target), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "units", "unit", "expected"),
    [
        ("a * b", {"a": "kW", "b": "h"}, "kW.h", 6.0),
        ("a / b", {"a": "mm", "b": "h"}, "mm/h", 2 / 3),
        ("a + b", {"a": "m", "b": "cm"}, "m", 2.03),
        ("a - b", {"a": "Cel", "b": "[degF]"}, "K", 2 - (3 - 32) * 5 / 9),
        ("a + quantity(b, 'K')", {"a": "Cel", "b": ""}, "Cel", 5.0),
        ("number(a, '[degF]')", {"a": "Cel"}, "", 35.6),
        ("a", {"a": "Cel"}, "Cel", 2.0),
        ("a ** 2", {"a": "m"}, "", None),
        ("sqrt(a * a)", {"a": "km"}, "m", 2000.0),
        ("a ** b", {"a": "", "b": ""}, "", 8.0),
        ("2 ** -a", {"a": ""}, "", 0.25),
        ("-a % 3", {"a": ""}, "", 1.0),
        ("a // b", {"a": "m", "b": "cm"}, "", 66.0),
        ("where(a > quantity(1, 'm') and not b > quantity(9, 'm'), a, 0)", {"a": "m", "b": "m"}, "m", 2.0),
        ("1 < a < 3 <= b", {"a": "", "b": ""}, "", 1.0),
        ("clip(a, quantity(0, 'm'), quantity(150, 'cm'))", {"a": "m"}, "cm", 150.0),
        ("maximum(a, b, quantity(9, 'cm'))", {"a": "m", "b": "m"}, "m", 3.0),
        ("sin(a)", {"a": "deg"}, "", math.sin(math.radians(2))),
        ("arctan2(a, b)", {"a": "m/s", "b": "m/s"}, "deg", math.degrees(math.atan2(2, 3))),
        ("exp(a)", {"a": "%"}, "", math.exp(0.02)),
        ("a * 100", {"a": "%"}, "", 2.0),
        ("  a  +\n b", {"a": "", "b": ""}, "", 5.0),
        ("log10(a)", {"a": ""}, "", math.log10(2)),
    ],
)
def test_values_and_units(text: str, units: dict[str, str], unit: str, expected: float | None) -> None:
    given = {"a": series((0, 2.0)), "b": series((0, 3.0))}
    if expected is None:
        with pytest.raises(ExpressionError):
            value(text, units, unit, 1)
    else:
        found = value(text, units, unit, 1, **{name: given[name] for name in units})
        assert found == pytest.approx(expected, rel=1e-12)


def test_a_value_in_its_own_unit_keeps_every_bit() -> None:
    for number in (21.3, -0.1, 1 / 3):
        assert value("mean(a, 1)", {"a": "Cel"}, "Cel", 1, a=series((0, number))) == number


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("a +", 3, "cannot be read"),
        ("a + đ", 5, "no input 'đ'"),
        ("đa + 1", 1, "no input 'đa'"),
        ("a + b.real", 5, "functions stand here"),
        ("a + ().__class__", 5, "functions stand here"),
        ("__import__('os').system('x')", 1, "only numbers"),
        ("a if a > a else a", 1, "where(condition"),
        ("a ^ 2", 1, "write **"),
        ("a & a", 1, "write and"),
        ("a + quantity(1, 's')", 1, "measure different things"),
        ("a + 1", 1, 'quantity(…, "m")'),
        ("mean(a)", 1, 'mean(input, "1h")'),
        ("mean(a + a, 3)", 1, "of its own"),
        ("a + mean(a, 0)", 13, "1 to 10000"),
        ("mean(a, '99d')", 1, "at most 31"),
        ("mean(a, 2000)", 1, "looks back 83 days"),
        ("a + nope(a)", 5, "no function 'nope'"),
        ("a + mean", 5, "needs its brackets"),
        ("sqrt(a, a)", 1, "takes 1 argument"),
        ("where(a, a, a)", 1, "a comparison"),
        ("a and a", 1, "joins comparisons"),
        ("a + 1e999", 5, "too large"),
        ("a + 'x'", 5, "only a number"),
        ("a + 1j", 5, "only a number"),
        ("a + True", 5, "only a number"),
        ("[a for a in a]", 1, "functions stand here"),
        ("(lambda: a)()", 1, "functions stand here"),
        ("a\0", 2, "cannot be seen"),
        ("a + f'{a}'", 5, "functions stand here"),
        ("clip(*a)", 1, "takes 3"),
        ("sqrt(x=a)", 1, "functions stand here"),
        ("(" * 900 + "a" + ")" * 900, 201, "nested"),
        ("-" * 1900 + "a", 42, "nested deeper"),
        ("+".join(["a"] * 200), 0, ""),
        ("a" * 2001, 0, "at most 2000"),
        ("log(a)", 1, "takes a number"),
        ("a ** a", 1, "a power must be a number"),
        ("a ** 1.2345678", 0, ""),
        ("3 + 4", 0, "uses no input"),
        ("a * a", 0, "which is no m"),
    ],
)
def test_what_is_refused_and_where(text: str, at: int, says: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(says)) as found:
        compile_expression(text, {"a": "m"} if "3 + 4" not in text else {}, "m", HOUR)
    if at:
        assert found.value.at == at, str(found.value)


def test_points_on_a_scale_have_no_sum_and_no_product() -> None:
    for text in ("a + a", "a * 2", "a / a", "-a", "sum(a, 3)", "a ** 2", "sqrt(a)", "exp(a)"):
        with pytest.raises(ExpressionError, match="Cel"):
            compile_expression(text, {"a": "Cel"}, "Cel", HOUR)
    assert value("a - lag(a, 1)", {"a": "Cel"}, "K", 60, a=series((0, 20.0), (60, 21.5))) == 1.5


def test_inputs_names_and_use() -> None:
    for name in ("A", "1a", "mean", "if", "a-b", "", "a" * 41, "đo"):
        with pytest.raises(ExpressionError, match="cannot name an input"):
            compile_expression("1", {name: ""}, "", HOUR)
    with pytest.raises(ExpressionError, match="'b' is not used"):
        compile_expression("a", {"a": "", "b": ""}, "", HOUR)
    with pytest.raises(ExpressionError, match="21 inputs"):
        compile_expression("a", {f"i{n}": "" for n in range(21)}, "", HOUR)


def test_what_is_missing_and_what_is_undefined() -> None:
    rows = series((0, 0.0))
    assert value("a", {"a": ""}, "", 3599, a=rows) == 0.0
    assert value("a", {"a": ""}, "", 3600, a=rows) is None  # too old
    assert value("a", {"a": ""}, "", -1, a=rows) is None
    assert math.isnan(value("1 / a", {"a": ""}, "", 1, a=rows) or 0.0)
    assert math.isnan(value("1e300 ** (a + 2)", {"a": ""}, "", 1, a=rows) or 0.0)
    assert value("where(a > 0, 1 / a, -1)", {"a": ""}, "", 1, a=rows) == -1.0
    nothing = series()
    two = {"a": rows, "b": nothing}
    units = {"a": "", "b": ""}
    assert value("a + b", units, "", 1, **two) is None
    assert value("coalesce(b, a)", units, "", 1, **two) == 0.0
    assert value("coalesce(1 / a, b, 7)", units, "", 1, **two) == 7.0
    assert value("where(a > -1, a, b)", units, "", 1, **two) == 0.0
    assert value("count(b, '1h') + a", units, "", 1, **two) == 0.0
    assert value("delta(a, '1h')", {"a": ""}, "", 1, a=rows) is None  # of one value there is no change


def test_durations() -> None:
    assert [duration(t) for t in ("90s", "10min", "1.5h", "2d")] == [
        90 * SECOND,
        600 * SECOND,
        HOUR * 3 // 2,
        48 * HOUR,
    ]
    assert [duration(t) for t in ("0s", "1w", "-1s", "1e3s", "", "h", "1 h 2")] == [None] * 7


def naive(function: str, rows: list[tuple[int, float]], t: int, span: int, last: int, age: int) -> float | None:
    """The definition of a window, word for word."""
    before = [(s, v) for s, v in rows if s <= t]
    if function == "lag" and span:
        found = [(s, v) for s, v in rows if t - span - age < s <= t - span]
        return found[-1][1] if found else None
    if function == "lag":
        if len(before) <= last or before[-1 - last][0] <= t - age * (last + 1):
            return None
        return before[-1 - last][1]
    inside = [(s, v) for s, v in before if s > t - (span or age * last)]
    if last:
        inside = inside[-last:]
    values = [v for _, v in inside]
    if function == "count":
        return float(len(values))
    if not values:
        return None
    if function in ("delta", "rate") and len(values) < 2:
        return None
    change = values[-1] - values[0]
    if function == "rate":
        return change / ((inside[-1][0] - inside[0][0]) / 1e6)
    return {
        "mean": sum(values) / len(values), "min": min(values), "max": max(values), "sum": sum(values),
        "first": values[0], "last": values[-1], "delta": change,
    }[function]  # fmt: skip


ROWS = st.dictionaries(st.integers(0, 200), st.integers(-1000, 1000).map(float), max_size=25)


@settings(max_examples=200, deadline=None)
@given(
    ROWS,
    st.sampled_from(["mean", "min", "max", "sum", "count", "first", "last", "delta", "rate", "lag"]),
    st.integers(1, 90) | st.integers(1, 8).map(lambda n: -n),
    st.integers(1, 120),
)
def test_windows_are_what_they_say(rows: dict[int, float], function: str, size: int, age: int) -> None:
    span, last = (size * SECOND, 0) if size > 0 else (0, -size)
    window = f"'{size}s'" if size > 0 else str(-size)
    unit = "/s" if function == "rate" else ""
    text = f"number({function}(a, {window}), '/min') / 60" if unit else f"{function}(a, {window})"
    program = compile_expression(text, {"a": ""}, "", age * SECOND)
    ordered = [(T0 + s * SECOND, v) for s, v in sorted(rows.items())]
    given_rows = Series(np.array([s for s, _ in ordered], np.int64), np.array([v for _, v in ordered], np.float64))
    at = T0 + np.arange(-5, 260) * SECOND
    found: Computed = run(program, {"a": given_rows}, at)
    for t, got, present in zip(at.tolist(), found.values.tolist(), found.present.tolist(), strict=True):
        want = naive(function, ordered, t, span, last, age * SECOND)
        assert present == (want is not None)
        if want is not None:
            assert got == pytest.approx(want, rel=1e-9, abs=1e-9)
    # The reach is honest: rows that are older than it do not matter.
    t = int(at[-60])
    near = given_rows.times > t - program.reach["a"]
    cut = Series(given_rows.times[near], given_rows.values[near])
    assert str(run(program, {"a": cut}, np.array([t]))) == str(run(program, {"a": given_rows}, np.array([t])))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab+-*/%(),.<>=! 01e9'\"hmeanwrquitylgo_\nđ[]{}:", max_size=60) | st.text(max_size=40))
def test_whatever_is_typed_is_refused_or_computed(text: str) -> None:
    try:
        program = compile_expression(text, {"a": "m"}, "m", HOUR)
    except ExpressionError:
        return
    found = run(program, {"a": series((0, 1.0), (1, -2.0))}, np.array([T0, T0 + SECOND]))
    assert found.values.shape == found.present.shape == (2,)
