"""A rule joined to the registry: which Things it looks at, which Datastream is which of its inputs, what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tram.alarms.rules import (
    ANY,
    LATITUDE,
    LONGITUDE,
    POINTS,
    All,
    AnyOf,
    Compare,
    Condition,
    Geofence,
    Leaf,
    NoData,
    Rule,
    Schedule,
    Side,
    leaves,
)  # fmt: skip
from tram.geometry import check_polygon

MOST_FAN_OUT = 1_000
"""Most Things that one other Thing's Datastream may be an input of: each of its values is looked at that many times."""
VALUE, LON, LAT = 0, 1, 2
"""Which part of an observation an input takes: its number, or one of its Point's coordinates."""


@dataclass(frozen=True, slots=True)
class Place:
    """A Thing as rules see it. `path`: the codes of its area and those around it, from the root."""

    thing_id: int
    name: str
    label: str = ""
    kind: str = ""
    area: str | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """The part of the registry that rules need.

    Attributes:
        places: active Things by id.
        streams: (Datastream, Thing, property).
        areas: geometries of areas by code.
        computed: Datastreams that a service computes: they do not say that their Thing sends.
    """

    places: Mapping[int, Place]
    streams: Sequence[tuple[int, int, str]]
    areas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    computed: frozenset[int] = frozenset()

    @cached_property
    def by_property(self) -> dict[str, dict[int, list[int]]]:
        """property -> Thing -> Datastreams. ANY is all that a Thing sends."""
        found: dict[str, dict[int, list[int]]] = {ANY: {}}
        for stream, thing, name in self.streams:
            if thing in self.places:
                found.setdefault(name, {}).setdefault(thing, []).append(stream)
                if stream not in self.computed:
                    found[ANY].setdefault(thing, []).append(stream)
        return found

    @cached_property
    def by_name(self) -> dict[str, int]:
        return {place.name: id for id, place in self.places.items()}


class Fault(NamedTuple):
    """What is wrong with a rule that was read without error: the path of the field, and what."""

    where: str
    what: str


class Input(NamedTuple):
    """One column of a rule's memory: a property of its own Things, or of another one; which part of the observation."""

    property: str
    thing: str | None = None
    part: int = VALUE


@dataclass(frozen=True, slots=True)
class Bound:
    """A simple condition and the columns it looks at; for a geofence the polygon too."""

    path: str
    leaf: Leaf
    inputs: tuple[int, ...]
    geometry: Mapping[str, Any] | None = None


Code = tuple[tuple[str, int], ...]
"""A condition in postfix: ("leaf", index), ("all", how many), ("any", how many)."""


@dataclass(frozen=True)
class Plan:
    """A rule ready for the engine.

    Attributes:
        things: ids of its Things, ascending; a Thing's index in it is its subject.
        inputs, bound, code: columns, simple conditions, and each level's condition in postfix.
        streams, subjects, columns, parts: equally long: an observation of this Datastream is that subject's input.
        faults: what is missing.
    """

    rule: Rule
    version: int
    things: NDArray[np.int64]
    inputs: tuple[Input, ...]
    bound: tuple[Bound, ...]
    code: tuple[Code, ...]
    streams: NDArray[np.int64]
    subjects: NDArray[np.int64]
    columns: NDArray[np.int64]
    parts: NDArray[np.int64]
    faults: tuple[Fault, ...]

    def datastreams(self, thing_id: int) -> tuple[int, ...]:
        """The Datastreams that the rule looks at for one of its Things."""
        at = int(np.searchsorted(self.things, thing_id))
        return tuple(np.unique(self.streams[self.subjects == at]).tolist())

    def decisive(self, level: int) -> int | None:
        """The column whose value an alarm of this level tells: its first simple condition that looks at one number."""
        for op, k in self.code[level - 1]:
            bound = self.bound[k] if op == "leaf" else None
            if bound is not None and len(bound.inputs) == 1 and not isinstance(bound.leaf, NoData):
                return bound.inputs[0]
        return None


def plan(rule: Rule, version: int, catalogue: Catalogue) -> Plan:
    """Joins a rule to what there is. It never fails: what is missing is a fault, and the rest goes on."""
    faults: list[Fault] = []
    inputs: dict[Input, int] = {}
    bound: list[Bound] = []
    code: list[Code] = []
    for index, level in enumerate(rule.levels):
        path = f"$.levels[{index}].when"
        first = len(bound)
        for where, leaf in leaves(level.when, path):
            bound.append(_bind(where, leaf, inputs, catalogue, faults))
        code.append(tuple(_postfix(level.when, iter(range(first, len(bound))))))
    things = _things(rule, inputs, catalogue, faults)
    routes = _routes(things, inputs, catalogue, faults, bound)
    streams, subjects, columns, parts = np.array(routes, np.int64).reshape(-1, 4).T
    return Plan(
        rule, version, np.array(things, np.int64), tuple(inputs), tuple(bound), tuple(code), streams, subjects, columns,
        parts, tuple(dict.fromkeys(faults)),
    )  # fmt: skip


def _bind(
    path: str, leaf: Leaf, inputs: dict[Input, int], catalogue: Catalogue, faults: list[Fault]
) -> Bound:  # fmt: skip
    def column(one: Input) -> int:
        return inputs.setdefault(one, len(inputs))

    if isinstance(leaf, Schedule):
        return Bound(path, leaf, ())
    if isinstance(leaf, Geofence):
        geometry = leaf.polygon if leaf.area is None else catalogue.areas.get(leaf.area)
        if geometry is None or check_polygon(geometry) is not None:
            faults.append(Fault(f"{path}.area", f"there is no area {leaf.area!r} with a polygon"))
            geometry = None
        columns = (column(Input(LONGITUDE, leaf.thing, LON)), column(Input(LATITUDE, leaf.thing, LAT)))
        return Bound(path, leaf, columns, geometry)
    if isinstance(leaf, Compare):
        sides: tuple[Side, ...] = (leaf.left, leaf.right)
        return Bound(path, leaf, tuple(column(Input(side.property, side.thing)) for side in sides))
    return Bound(path, leaf, (column(Input(leaf.property, leaf.thing)),))


def _postfix(condition: Condition, numbers: Any) -> list[tuple[str, int]]:
    if isinstance(condition, All | AnyOf):
        found = [step for inner in condition.of for step in _postfix(inner, numbers)]
        return [*found, ("all" if isinstance(condition, All) else "any", len(condition.of))]
    return [("leaf", next(numbers))]


def _streams(one: Input, catalogue: Catalogue) -> list[tuple[dict[int, list[int]], int]]:
    """Where an input's values come from: Thing -> Datastreams, and which part of them."""
    if one.part == VALUE:
        return [(catalogue.by_property.get(one.property, {}), VALUE)]
    points = [(catalogue.by_property.get(name, {}), one.part) for name in POINTS]
    return [(catalogue.by_property.get(one.property, {}), VALUE), *points]


def _things(rule: Rule, inputs: Mapping[Input, int], catalogue: Catalogue, faults: list[Fault]) -> list[int]:
    """The Things of the scope that have at least one of the rule's own inputs (or all, if it has none)."""
    scope = rule.scope
    if scope.thing is not None and scope.thing not in catalogue.by_name:
        faults.append(Fault("$.scope.thing", f"there is no Thing {scope.thing!r}"))
        return []
    candidates = [catalogue.by_name[scope.thing]] if scope.thing is not None else list(catalogue.places)
    found = [
        id for id in candidates
        if (scope.kind is None or catalogue.places[id].kind == scope.kind)
        and (scope.area is None or scope.area in catalogue.places[id].path)
    ]  # fmt: skip
    own = [one for one in inputs if one.thing is None]
    if own:
        has = {id for one in own for streams, _ in _streams(one, catalogue) for id in streams}
        found = [id for id in found if id in has]
    if not found:
        faults.append(Fault("$.scope", "no Thing of this scope has any of the properties"))
    return sorted(found)


def _routes(
    things: Sequence[int], inputs: Mapping[Input, int], catalogue: Catalogue, faults: list[Fault],
    bound: Sequence[Bound],
) -> list[tuple[int, int, int, int]]:  # fmt: skip
    routes: list[tuple[int, int, int, int]] = []
    for one, column in inputs.items():
        path = next(b.path for b in bound if column in b.inputs)
        sources = _streams(one, catalogue)
        before = len(routes)
        if one.thing is None:
            for subject, thing in enumerate(things):
                routes += [(id, subject, column, part) for streams, part in sources for id in streams.get(thing, ())]
            if len(routes) == before and things:
                faults.append(Fault(path, f"none of its Things has a Datastream of {one.property!r}"))
            continue
        other = catalogue.by_name.get(one.thing)
        if other is None:
            faults.append(Fault(path, f"there is no Thing {one.thing!r}"))
        elif len(things) > MOST_FAN_OUT:
            faults.append(Fault(path, f"another Thing may be looked at for {MOST_FAN_OUT} Things at most"))
        else:
            found = [(id, part) for streams, part in sources for id in streams.get(other, ())]
            if not found:
                faults.append(Fault(path, f"the Thing {one.thing!r} has no Datastream of {one.property!r}"))
            routes += [(id, subject, column, part) for id, part in found for subject in range(len(things))]
    return routes
