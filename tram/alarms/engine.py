"""All rules over batches of Observations. Pure: batches, times and the registry are handed in, transitions handed out.

    engine = Engine(plans, offset, now)
    transitions = engine.apply(readings) + engine.tick(now)

What comes out depends on the readings, their own times and when they were stored, never on when this ran; so a state
that was kept (`pack`) and the batches since then give what an engine that never stopped would have given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tram.alarms.conditions import NONE
from tram.alarms.plan import LAT, LON, Fault, Plan
from tram.alarms.unit import Transition, Unit
from tram.quality import SUSPECT
from tram.sensing import Micros

_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """n Observations in order of arrival, arrays of shape (n,).

    Attributes:
        stream: Datastream ids. time: phenomenonTime, microseconds. value: NaN = no number. quality: bits.
        stored: when each was stored, microseconds.
        points: row -> (longitude, latitude), for Observations that are GeoJSON Points.
    """

    stream: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]
    stored: NDArray[np.int64]
    points: Mapping[int, tuple[float, float]] = field(default_factory=dict)


class Engine:
    """The rules of a moment. When rules or the registry change, make a new one and let it `take_over`."""

    def __init__(self, plans: Iterable[Plan], offset: Micros, now: Micros) -> None:
        self.units = [Unit(plan, offset, now) for plan in plans]
        self._route()

    def _route(self) -> None:
        """One index for all rules: Datastream -> (rule, subject, input, part)."""

        def joined(name: str) -> NDArray[np.int64]:
            return np.concatenate([getattr(u.plan, name) for u in self.units] or [np.zeros(0, np.int64)])

        stream = joined("streams")
        rule = np.repeat(np.arange(len(self.units)), [len(u.plan.streams) for u in self.units])
        order = np.argsort(stream, kind="stable")
        self._rule, self._subject = rule[order], joined("subjects")[order]
        self._column, self._part = joined("columns")[order], joined("parts")[order]
        size = int(stream.max(initial=-1)) + 2
        self._count = np.bincount(stream, minlength=size).astype(np.int64)
        self._start = np.concatenate([[0], np.cumsum(self._count)[:-1]]).astype(np.int64)
        self._any = np.array([u.plan.rule.quality == "any" for u in self.units] or [False])

    def apply(self, readings: Readings) -> list[Transition]:
        """What follows from these readings."""
        inside = (readings.stream >= 0) & (readings.stream < len(self._count))
        wanted = np.flatnonzero(inside)
        wanted = wanted[self._count[readings.stream[wanted]] > 0]
        if not len(wanted):
            return []
        stream = readings.stream[wanted]
        count = self._count[stream]
        row = np.repeat(wanted, count)
        ends = np.cumsum(count)
        entry = np.repeat(self._start[stream] - (ends - count), count) + np.arange(ends[-1])
        rule = self._rule[entry]
        order = np.argsort(rule, kind="stable")
        row, entry, rule = row[order], entry[order], rule[order]
        value = self._values(readings, row, self._part[entry])
        suspect = (readings.quality[row] & SUSPECT & ~1) != 0  # CLOCK says nothing against the number
        value = np.where(suspect & ~self._any[rule], np.nan, value)
        told: list[Transition] = []
        cuts = np.searchsorted(rule, np.arange(len(self.units) + 1))
        time, stored = readings.time[row], readings.stored[row]
        subject, column = self._subject[entry], self._column[entry]
        for k in np.unique(rule).tolist():
            part = slice(cuts[k], cuts[k + 1])
            unit = self.units[k]
            columns = (subject[part], column[part], time[part], value[part], stored[part])
            told += self._try(unit, partial(unit.apply, *columns))
        return told

    def tick(self, now: Micros) -> list[Transition]:
        """What follows from time alone: durations that are full, silences, schedules."""
        due = [unit for unit in self.units if unit.next_due <= now]
        return [told for unit in due for told in self._try(unit, partial(unit.tick, now))]

    def settle(self, now: Micros) -> list[Transition]:
        """What differs from what people were told (`tell`)."""
        return [told for unit in self.units for told in self._try(unit, partial(unit.settle, now))]

    def _try(self, unit: Unit, work: Callable[[], list[Transition]]) -> list[Transition]:
        """One rule's fault is its own: it stops until it is changed, and the rest go on."""
        if unit.broken:
            return []
        try:
            return work()
        except Exception as error:
            unit.broken = True
            unit.next_due = NONE
            unit.faults["$"] = Fault("$", f"stopped: {type(error).__name__}: {error}"[:500])
            return []

    @property
    def next_due(self) -> Micros:
        """When `tick` would have something to do."""
        return min((unit.next_due for unit in self.units), default=NONE)

    def faults(self) -> dict[str, list[Fault]]:
        """What is wrong with each rule: what is missing, what could not be computed."""
        return {unit.plan.rule.id: [*unit.plan.faults, *unit.faults.values()] for unit in self.units}

    def take_over(self, earlier: Mapping[tuple[str, int], tuple[NDArray[np.int64], dict[str, NDArray[Any]]]]) -> list[
        tuple[Unit, NDArray[np.bool_]]
    ]:  # fmt: skip
        """Takes what earlier engines remembered of the same rules and versions; (unit, which subjects it knew)."""
        found = []
        for unit in self.units:
            kept = earlier.get((unit.plan.rule.id, unit.plan.version))
            known = np.zeros(len(unit.plan.things), bool) if kept is None else unit.take_over(*kept)
            found.append((unit, known))
        return found

    def memory(self) -> dict[tuple[str, int], tuple[NDArray[np.int64], dict[str, NDArray[Any]]]]:
        """What `take_over` takes."""
        return {(u.plan.rule.id, u.plan.version): (u.plan.things, u.arrays()) for u in self.units}

    def tell(self, standing: Mapping[tuple[str, int], int]) -> None:
        """Sets what people were told last, by (rule, Thing); 0 for all others."""
        for unit in self.units:
            id = unit.plan.rule.id
            levels = [standing.get((id, thing), 0) for thing in unit.plan.things.tolist()]
            unit.memory.more["told"][:] = np.minimum(levels, len(unit.plan.rule.levels)) if levels else 0

    def pack(self) -> bytes:
        """The whole memory as bytes; `unpack` gives it back."""
        units = [
            (id, version, _packed(things), {name: _packed(array) for name, array in arrays.items()})
            for (id, version), (things, arrays) in self.memory().items()
        ]
        return msgspec.msgpack.encode((_FORMAT, units))

    def _values(self, readings: Readings, row: NDArray[np.int64], part: NDArray[np.int64]) -> NDArray[np.float64]:
        value = readings.value[row]
        if not part.any():
            return value
        for axis, which in ((0, LON), (1, LAT)):
            for at in np.flatnonzero(part == which).tolist():
                point = readings.points.get(int(row[at]))
                value[at] = np.nan if point is None else point[axis]
        return value


def unpack(data: bytes) -> dict[tuple[str, int], tuple[NDArray[np.int64], dict[str, NDArray[Any]]]]:
    """What `pack` packed. Raises ValueError for anything else, and for another version's."""
    try:
        format, units = msgspec.msgpack.decode(data, type=tuple[int, list[tuple[str, int, Any, dict[str, Any]]]])
        if format != _FORMAT:
            raise ValueError(f"format {format}")
        return {(id, version): (_array(things), {name: _array(a) for name, a in arrays.items()})
                for id, version, things, arrays in units}  # fmt: skip
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise ValueError(f"not an engine's memory that is known here: {error}") from None


def _packed(array: NDArray[Any]) -> tuple[str, Sequence[int], bytes]:
    return array.dtype.str, array.shape, array.tobytes()


def _array(given: Any) -> NDArray[Any]:
    kind, shape, data = given
    return np.frombuffer(data, np.dtype(kind)).reshape(shape).copy()
