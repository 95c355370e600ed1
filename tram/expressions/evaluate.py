"""Computing a checked expression over columns of numbers: one value for each of many moments.

Every value depends on nothing but the rows it is defined over: windows are summed row by row (never as a difference of
running totals), so the same rows give the same bits, wherever a computation began.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tram.expressions.grammar import Program
from tram.expressions.tree import Apply, Constant, Convert, Input, Node, Window

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Series(NamedTuple):
    """The numbers of one input, by rising time. Shapes (n,): microseconds since 1970, values."""

    times: Times
    values: Floats


class Computed(NamedTuple):
    """Shapes (m,), one for each moment. Where `present` is False there is no value: an input had none.

    A value that is present and NaN is undefined: a division by zero, a root of a negative number, an overflow.
    """

    values: Floats
    present: Mask


def _where(c: Floats, a: Floats, b: Floats) -> Floats:
    return np.where(c != 0, a, b)


def _fold(ufunc: np.ufunc) -> Callable[..., Floats]:
    def folded(*arguments: Floats) -> Floats:
        found = arguments[0]
        for argument in arguments[1:]:
            found = ufunc(found, argument)
        return found

    return folded


FUNCTIONS: Mapping[str, Callable[..., NDArray[np.generic]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "//": np.floor_divide, "%": np.mod,
    "**": np.power, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal, "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "negative": np.negative,
    "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "log10": np.log10, "round": np.round,
    "floor": np.floor, "ceil": np.ceil, "sign": np.sign, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "arctan2": np.arctan2, "hypot": np.hypot, "minimum": _fold(np.minimum), "maximum": _fold(np.maximum),
    "clip": np.clip,
}  # fmt: skip


def run(program: Program, inputs: Mapping[str, Series], at: Times) -> Computed:
    """Computes a program at these moments.

    Args:
        inputs: of every input, all its rows in (t - reach, t] for every moment t; more do not matter.
        at: shape (m,), microseconds since 1970, rising.
    """
    with np.errstate(all="ignore"):
        found = _node(program.root, inputs, at, program.max_age)
    values = np.where(np.isfinite(found.values), found.values, np.nan)
    return Computed(values, found.present)


def _node(node: Node, inputs: Mapping[str, Series], at: Times, max_age: int) -> Computed:
    match node:
        case Constant(value=value):
            return Computed(np.full(len(at), value), np.ones(len(at), bool))
        case Input(name=name):
            return _back(inputs[name], at, 0, max_age)
        case Window():
            return _window(node, inputs[node.name], at, max_age)
        case Convert(inner=inner, factor=factor, shift=shift):
            found = _node(inner, inputs, at, max_age)
            return Computed(found.values * factor + shift, found.present)
        case Apply(function=function, arguments=arguments):
            return _apply(function, [_node(argument, inputs, at, max_age) for argument in arguments])


def _apply(function: str, arguments: list[Computed]) -> Computed:
    if function == "coalesce":
        found = arguments[0]
        for other in arguments[1:]:
            usable = found.present & np.isfinite(found.values)
            found = Computed(
                np.where(usable, found.values, other.values), np.where(usable, found.present, other.present)
            )
        return found
    if function == "where":
        # Only the branch that is taken must be there.
        condition, yes, no = arguments
        chosen = condition.values != 0
        present = condition.present & np.where(chosen, yes.present, no.present)
        return Computed(_where(condition.values, yes.values, no.values), present)
    present = arguments[0].present
    for argument in arguments[1:]:
        present = present & argument.present
    return Computed(FUNCTIONS[function](*(a.values for a in arguments)).astype(np.float64), present)


def _taken(values: Floats, index: NDArray[np.intp], present: Mask) -> Computed:
    if len(values) == 0:
        return Computed(np.full(len(index), np.nan), np.zeros(len(index), bool))
    return Computed(np.where(present, values[np.where(present, index, 0)], np.nan), present)


def _back(series: Series, at: Times, steps: int, max_age: int) -> Computed:
    """The value so many rows before the newest at each moment, not older than max_age a row."""
    index = np.searchsorted(series.times, at, "right") - 1 - steps
    present = index >= 0
    if len(series.times):
        present &= series.times[np.maximum(index, 0)] > at - max_age * (steps + 1)
    return _taken(series.values, index, present)


def _window(window: Window, series: Series, at: Times, max_age: int) -> Computed:
    if window.function == "lag":
        if window.last:
            return _back(series, at, window.last, max_age)
        return _back(series, at - window.span, 0, max_age)
    ends = np.searchsorted(series.times, at, "right")
    starts = np.searchsorted(series.times, at - (window.span or max_age * window.last), "right")
    if window.last:
        starts = np.maximum(starts, ends - window.last)
    n = ends - starts
    if window.function == "count":
        return Computed(n.astype(np.float64), np.ones(len(at), bool))
    if window.function in ("first", "last"):
        return _taken(series.values, starts if window.function == "first" else ends - 1, n > 0)
    if window.function in ("delta", "rate"):
        present = n > 1
        change = _taken(series.values, ends - 1, present).values - _taken(series.values, starts, present).values
        if window.function == "rate":
            times = series.times.astype(np.float64)
            apart = _taken(times, ends - 1, present).values - _taken(times, starts, present).values
            change = change / (apart / 1e6)
        return Computed(change, present)
    ufunc = {"min": np.minimum, "max": np.maximum}.get(window.function, np.add)
    values = _reduced(ufunc, series.values, starts, ends)
    if window.function == "mean":
        values = values / np.maximum(n, 1)
    return Computed(values, n > 0)


def _reduced(ufunc: np.ufunc, values: Floats, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Floats:
    """ufunc over values[start:end] for every pair; NaN where it is empty."""
    out = np.full(len(starts), np.nan)
    rows = np.flatnonzero(ends > starts)
    if len(rows):
        pairs = np.empty(2 * len(rows), np.intp)
        pairs[0::2], pairs[1::2] = starts[rows], ends[rows]
        # reduceat takes [pairs[i]:pairs[i + 1]]; the odd ones, from an end to the next start, are thrown away. One more
        # element, so that an end may be the length.
        out[rows] = ufunc.reduceat(np.append(values, 0.0), pairs)[0::2]
    return out
