"""The typed tree of an expression. Every node knows what it measures; conversions stand in it as nodes."""

from dataclasses import dataclass
from typing import TypeAlias

from tram.expressions.measures import Measure


@dataclass(frozen=True, slots=True)
class Constant:
    """A number that stands in the text."""

    value: float
    measure: Measure


@dataclass(frozen=True, slots=True)
class Input:
    """The newest value of an input, if it is not too old."""

    name: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Window:
    """A function of an input's last values.

    Attributes:
        function: mean, min, max, sum, count, first, last, delta, rate or lag.
        span: microseconds, the window (t - span, t]; for lag: how long ago. 0 where `last` counts.
        last: so many values at most; for lag: so many values ago. 0 where `span` counts.
    """

    function: str
    name: str
    span: int
    last: int
    measure: Measure


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of values at one moment; `function` is a key of evaluate.FUNCTIONS."""

    function: str
    arguments: tuple["Node", ...]
    measure: Measure


@dataclass(frozen=True, slots=True)
class Convert:
    """value * factor + shift."""

    inner: "Node"
    factor: float
    shift: float
    measure: Measure


Node: TypeAlias = Constant | Input | Window | Apply | Convert
