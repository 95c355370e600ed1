"""The simple conditions over columns: one evaluator each. Arrays are indexed by subject; `u` selects some of them.

Times are int64 microseconds. NEVER is before all times, NONE after all of them. An evaluator keeps its own arrays in
the memory's `more` under names that begin with its number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tram.alarms.plan import Bound, Fault
from tram.alarms.rules import DAYS, Compare, Geofence, NoData, Rate, Schedule, Threshold, minute_of_day
from tram.clock import DAY, SECOND
from tram.geometry import inside

Index = NDArray[np.intp]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

NEVER, NONE = -(2**62), 2**62
SLOTS = 8
"""A rate keeps one reading an eighth of its window."""


@dataclass
class Memory:
    """What the engine remembers of one rule: arrays whose first axis is the subject.

    Attributes:
        time, value: the newest reading of each input, shape (subjects, inputs).
        holds: each simple condition, shape (subjects, conditions).
        born: when the subject began to be watched.
        more: further arrays.
    """

    time: Times
    value: Floats
    holds: Flags
    born: Times
    more: dict[str, NDArray[Any]] = field(default_factory=dict)


class Evaluator(Protocol):
    """One simple condition."""

    def prepare(self, memory: Memory) -> None:
        """Makes its arrays."""

    def sampled(self, memory: Memory, u: Index, newer: NDArray[np.bool_]) -> None:
        """New readings came for these subjects. `newer` (subjects of u, inputs): by time, not a correction."""

    def evaluate(self, memory: Memory, u: Index, at: Times, now: Times) -> Flags:
        """Whether it holds at these times."""

    def due(self, memory: Memory, u: Index, at: Times) -> Times | None:
        """When it may change by time alone; None: never."""


def evaluator(number: int, bound: Bound, offset: int, fault: Callable[[Fault], None]) -> Evaluator:
    """For a bound condition. `offset`: microseconds that local time is ahead of UTC."""
    leaf = bound.leaf
    if isinstance(leaf, Threshold):
        return _Threshold(number, bound, leaf)
    if isinstance(leaf, Rate):
        return _Rate(number, bound, leaf)
    if isinstance(leaf, Compare):
        return _Compare(number, bound, leaf, fault)
    if isinstance(leaf, NoData):
        return _NoData(number, bound, leaf)
    if isinstance(leaf, Geofence):
        return _Geofence(number, bound, leaf)
    return _Schedule(number, bound, leaf, offset)


_OPS: dict[str, Callable[[Floats, float], Flags]] = {
    ">": lambda x, y: x > y, ">=": lambda x, y: x >= y, "<": lambda x, y: x < y, "<=": lambda x, y: x <= y,
}  # fmt: skip


class _Base:
    def __init__(self, number: int, bound: Bound) -> None:
        self.number, self.bound = number, bound

    def prepare(self, memory: Memory) -> None:
        pass

    def sampled(self, memory: Memory, u: Index, newer: NDArray[np.bool_]) -> None:
        pass

    def due(self, memory: Memory, u: Index, at: Times) -> Times | None:
        return None


class _Beyond(_Base):
    """A number beyond a limit, with hysteresis. What is no number (NaN) changes nothing."""

    def __init__(self, number: int, bound: Bound, leaf: Threshold | Rate | Compare) -> None:
        super().__init__(number, bound)
        self._beyond, self._limit = _OPS[leaf.op], leaf.value
        self._back = leaf.value + (-leaf.deadband if leaf.op[0] == ">" else leaf.deadband)
        self._same = leaf.deadband == 0.0

    def numbers(self, memory: Memory, u: Index) -> Floats:
        raise NotImplementedError

    def evaluate(self, memory: Memory, u: Index, at: Times, now: Times) -> Flags:
        x = self.numbers(memory, u)
        held = memory.holds[u, self.number]
        beyond = self._beyond(x, self._limit)
        if not self._same:
            beyond |= held & self._beyond(x, self._back)
        return np.asarray(np.where(np.isnan(x), held, beyond), np.bool_)


class _Threshold(_Beyond):
    def numbers(self, memory: Memory, u: Index) -> Floats:
        return np.asarray(memory.value[u, self.bound.inputs[0]], np.float64)


class _Compare(_Beyond):
    def __init__(self, number: int, bound: Bound, leaf: Compare, fault: Callable[[Fault], None]) -> None:
        super().__init__(number, bound, leaf)
        self._ratio, self._fault = leaf.by == "ratio", fault

    def numbers(self, memory: Memory, u: Index) -> Floats:
        left, right = (memory.value[u, column] for column in self.bound.inputs)
        if not self._ratio:
            return np.asarray(left - right, np.float64)
        zero = right == 0.0
        if zero.any():
            self._fault(Fault(f"{self.bound.path}.right", "division by zero: the condition stays as it was"))
        return np.asarray(np.divide(left, right, out=np.full(len(u), np.nan), where=~zero), np.float64)


class _Rate(_Beyond):
    """Change per time, from the earliest kept reading of the window to the newest."""

    def __init__(self, number: int, bound: Bound, leaf: Rate) -> None:
        super().__init__(number, bound, leaf)
        self._window, self._per = leaf.window.micros, leaf.per.micros
        self._slot = max(1, self._window // SLOTS)

    def _name(self, what: str) -> str:
        return f"{self.number}.{what}"

    def prepare(self, memory: Memory) -> None:
        n = len(memory.time)
        memory.more[self._name("times")] = np.full((n, SLOTS + 1), NEVER, np.int64)
        memory.more[self._name("values")] = np.full((n, SLOTS + 1), np.nan)
        memory.more[self._name("rate")] = np.full(n, np.nan)

    def sampled(self, memory: Memory, u: Index, newer: NDArray[np.bool_]) -> None:
        column = self.bound.inputs[0]
        u = u[newer[:, column]]
        if not len(u):
            return
        times, values = memory.more[self._name("times")], memory.more[self._name("values")]
        t, v = memory.time[u, column], memory.value[u, column]
        kept, held = times[u], values[u]
        usable = kept >= (t - self._window)[:, None]
        oldest = np.where(usable, kept, NONE).argmin(axis=1)
        rows = np.arange(len(u))
        span = np.where(usable.any(axis=1), t - kept[rows, oldest], 0)
        enough = span >= max(1, self._window // 2)
        rate = np.divide((v - held[rows, oldest]) * self._per, span, out=np.full(len(u), np.nan), where=enough)
        memory.more[self._name("rate")][u] = rate
        fresh = (t // self._slot) != (kept[:, -1] // self._slot)
        add = u[fresh]
        times[add] = np.concatenate([kept[fresh, 1:], t[fresh, None]], axis=1)
        values[add] = np.concatenate([held[fresh, 1:], v[fresh, None]], axis=1)

    def numbers(self, memory: Memory, u: Index) -> Floats:
        return np.asarray(memory.more[self._name("rate")][u], np.float64)


class _NoData(_Base):
    def __init__(self, number: int, bound: Bound, leaf: NoData) -> None:
        super().__init__(number, bound)
        self._after = leaf.after.micros

    def evaluate(self, memory: Memory, u: Index, at: Times, now: Times) -> Flags:
        # Against the present, not against the reading's own time: what comes late ends no silence.
        return np.asarray(np.maximum(at, now) - self._newest(memory, u) >= self._after)

    def due(self, memory: Memory, u: Index, at: Times) -> Times | None:
        return np.where(memory.holds[u, self.number], NONE, self._newest(memory, u) + self._after)

    def _newest(self, memory: Memory, u: Index) -> Times:
        return np.asarray(np.maximum(memory.time[u, self.bound.inputs[0]], memory.born[u]), np.int64)


class _Schedule(_Base):
    def __init__(self, number: int, bound: Bound, leaf: Schedule, offset: int) -> None:
        super().__init__(number, bound)
        self._offset = offset
        self._days = np.array([day in leaf.days for day in DAYS])
        self._start, self._end = (minute_of_day(c) * 60 * SECOND for c in (leaf.start, leaf.end))

    def evaluate(self, memory: Memory, u: Index, at: Times, now: Times) -> Flags:
        day, clock = np.divmod(at + self._offset, DAY)
        today = self._days[(day + 3) % 7]  # 1970-01-01 was a Thursday
        if self._start < self._end:
            return np.asarray(today & (clock >= self._start) & (clock < self._end))
        yesterday = self._days[(day + 2) % 7]
        return np.asarray((today & (clock >= self._start)) | (yesterday & (clock < self._end)))

    def due(self, memory: Memory, u: Index, at: Times) -> Times | None:
        clock = (at + self._offset) % DAY
        ahead = [np.where(clock < moment, moment - clock, moment + DAY - clock) for moment in (self._start, self._end)]
        return np.asarray(at + np.minimum(*ahead))


class _Geofence(_Base):
    def __init__(self, number: int, bound: Bound, leaf: Geofence) -> None:
        super().__init__(number, bound)
        self._inside = leaf.on in ("enter", "inside", "stay")
        self._crossing = leaf.on in ("enter", "leave")

    def prepare(self, memory: Memory) -> None:
        n = len(memory.time)
        memory.more[f"{self.number}.side"] = np.zeros(n, np.int8)  # 1 inside, 2 outside
        memory.more[f"{self.number}.crossed"] = np.zeros(n, bool)

    def sampled(self, memory: Memory, u: Index, newer: NDArray[np.bool_]) -> None:
        x, y = self.bound.inputs
        # A position is a longitude and a latitude of one time; they may come in two messages.
        u = u[(newer[:, x] | newer[:, y]) & (memory.time[u, x] == memory.time[u, y])]
        points = memory.value[u][:, [x, y]]
        good = ~np.isnan(points).any(axis=1)
        u, points = u[good], points[good]
        if not len(u) or self.bound.geometry is None:
            return
        side, crossed = memory.more[f"{self.number}.side"], memory.more[f"{self.number}.crossed"]
        new = np.where(inside(self.bound.geometry, points), np.int8(1), np.int8(2))
        old = side[u]
        crossed[u] = np.where(new == old, crossed[u], old != 0)
        side[u] = new

    def evaluate(self, memory: Memory, u: Index, at: Times, now: Times) -> Flags:
        holds = memory.more[f"{self.number}.side"][u] == (1 if self._inside else 2)
        return np.asarray(holds & memory.more[f"{self.number}.crossed"][u] if self._crossing else holds)
