"""What a service computed, into its own Datastreams: new values, corrections of what changed, nothing for what did not.

A Datastream belongs to a service when its channel is the service's name; no other is ever written. Its Sensor is the
formula with its edition, as SensorThings calls a procedure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.city.domain import Domain
from services.city.held import held, same_object
from services.city.inputs import QUERIES
from tram.errors import ConflictError
from tram.quality import Quality
from tram.sensing import Location, Thing
from tram.store import areas, observations, registry
from tram.store.batch import Batch
from tram.store.database import Connection, available

AREA_KIND = "area"
"""Things of this kind stand for an area itself: what is computed of a commune hangs on `area-{code}`."""


Told = Mapping[str, Any] | bytes | None
"""SensorThings parameters of a value: an object, or its JSON."""


@dataclass(slots=True)
class Results:
    """Values of Things by property and time, collected column by column."""

    things: list[NDArray[np.int64]] = field(default_factory=list)
    properties: list[tuple[str, int]] = field(default_factory=list)
    times: list[NDArray[np.int64]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)
    parameters: list[Sequence[Told] | None] = field(default_factory=list)

    def add(
        self, property: str, things: ArrayLike, times: ArrayLike, values: ArrayLike,
        parameters: Sequence[Told] | None = None,
    ) -> None:  # fmt: skip
        """Values of one property; the arrays have shape (n,). NaN: there is none; what stood there goes."""
        found = np.asarray(values, np.float64)
        self.things.append(np.asarray(things, np.int64))
        self.times.append(np.asarray(times, np.int64))
        self.values.append(found)
        self.properties.append((property, len(found)))
        self.parameters.append(parameters)

    def join(self, other: "Results") -> None:
        """Adds what another has collected."""
        for name in ("things", "properties", "times", "values", "parameters"):
            getattr(self, name).extend(getattr(other, name))


class Put(NamedTuple):
    """What became of results: new, corrected, taken away, and those that stood there already."""

    new: int
    corrected: int
    removed: int
    same: int


def put(conn: Connection, domain: Domain, results: Results) -> Put:
    """Writes results. Never commits; call it last in the transaction: it takes the committed stream's lock.

    Raises:
        ConflictError: a property that is not the service's.
        UnavailableError: roll back and try again.
    """
    if not results.things or not sum(map(len, results.things)):
        return Put(0, 0, 0, 0)
    times, values = np.concatenate(results.times), np.concatenate(results.values)
    told = [
        text
        for given, (_, n) in zip(results.parameters, results.properties, strict=True)
        for text in ([b""] * n if given is None else [_encoded(one) for one in given])
    ]
    ids = _datastreams(conn, domain, results)
    stands = held(conn, ids, times)
    none = ~np.isfinite(values)
    same = stands.there & ((stands.values == values) | (np.isnan(stands.values) & none))
    rows = np.flatnonzero(same).tolist()
    same[rows] = [same_object(stands.parameters[row], told[row]) for row in rows]
    new = np.flatnonzero(~stands.there & ~none)
    changed = np.flatnonzero(stands.there & ~none & ~same)
    gone = np.flatnonzero(stands.there & none)
    if len(new):
        observations.write(conn, _batch(ids, times, values, told, new))
    if len(changed):
        observations.correct(conn, _batch(ids, times, values, told, changed))
    if len(gone):
        observations.delete(conn, ids[gone], times[gone])
    return Put(len(new), len(changed), len(gone), int(same.sum()))


def _encoded(given: Told) -> bytes:
    if isinstance(given, bytes):
        return given
    return msgspec.json.encode(given) if given else b""


def _batch(
    ids: NDArray[np.int32], times: NDArray[np.int64], values: NDArray[np.float64], told: Sequence[bytes],
    rows: NDArray[np.intp],
) -> Batch:  # fmt: skip
    quality = np.full(len(rows), int(Quality.ESTIMATED), np.int16)
    parameters = {i: text for i, row in enumerate(rows.tolist()) if (text := told[row])}
    return Batch(ids[rows], times[rows], values[rows], quality, {}, parameters)


def _datastreams(conn: Connection, domain: Domain, results: Results) -> NDArray[np.int32]:
    """The service's Datastream of each row; made where there is none."""
    blocks = [
        (name, *np.unique(things, return_inverse=True))
        for (name, _), things in zip(results.properties, results.things, strict=True)
    ]
    wanted = sorted({(thing, name) for name, things, _ in blocks for thing in things.tolist()})
    foreign = {name for _, name in wanted} - domain.properties.keys()
    if foreign:
        raise ConflictError(f"{domain.name} computes no {', '.join(sorted(foreign))}: it is not in its properties.toml")
    known = _find(conn, domain, wanted)
    missing: dict[str, list[int]] = {}
    for thing, name in wanted:
        if (thing, name) not in known:
            missing.setdefault(name, []).append(thing)
    for name, ids in missing.items():
        _make(conn, domain, name, ids)
    if missing:
        known = _find(conn, domain, wanted)
    return np.concatenate(
        [
            np.array([known[thing, name] for thing in things.tolist()], np.int32)[inverse]
            for name, things, inverse in blocks
        ]
    )


def _find(conn: Connection, domain: Domain, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    things, names = zip(*wanted, strict=True)
    with available():
        rows = conn.execute(
            QUERIES["own_datastreams"], {"things": list(things), "properties": list(names), "channel": domain.name}
        ).fetchall()
    return {(thing, name): id for thing, name, id in rows}


def _make(conn: Connection, domain: Domain, name: str, things: Sequence[int]) -> None:
    observed, formula = domain.properties[name], domain.formulas[name]
    said = f"{formula.name} ({formula.edition})"
    with available():
        conn.execute(
            QUERIES["put_property"],
            {
                "name": name, "labels": msgspec.json.encode(dict(observed.labels)).decode(),
                "definition": observed.definition, "description": f"{said}: {formula.description}",
            },
        )  # fmt: skip
        row = conn.execute(QUERIES["formula"], (domain.name, said)).fetchone()
        if row is None:
            told = {
                "name": said,
                "description": formula.description,
                "metadata": formula.edition,
                "domain": domain.name,
            }
            row = conn.execute(QUERIES["add_formula"], told).fetchone()
        assert row is not None
        conn.execute(
            QUERIES["add_datastreams"],
            {"things": list(things), "property": name, "unit": observed.unit, "channel": domain.name, "sensor": row[0]},
        )


class AreaThing(NamedTuple):
    """An area and the Thing that stands for it; `place` is its middle (longitude, latitude) where that is known.

    `leaf`: no other area lies in it (a commune; the province is none).
    """

    code: str
    name: str
    leaf: bool
    thing: int
    place: tuple[float, float] | None


def area_things(conn: Connection) -> list[AreaThing]:
    """Every area with its Thing, by code; Things are made where there are none yet. Never commits."""
    with available():
        rows = conn.execute(QUERIES["area_things"]).fetchall()
        missing = {row[0] for row in rows if row[3] is None}
        if missing:
            for area in areas.list_areas(conn):
                if area.id in missing:
                    told = {"schematic": area.schematic}
                    thing = Thing(f"area-{area.id}", area.name, AREA_KIND, area.id, _middle(area), properties=told)
                    registry.put(conn, thing)
            rows = conn.execute(QUERIES["area_things"]).fetchall()
    return [
        AreaThing(code, name, leaf, thing, None if longitude is None else (longitude, latitude))
        for code, name, leaf, thing, longitude, latitude in rows
    ]


def _middle(area: areas.Area) -> Location | None:
    """The middle of an area's largest ring."""
    geometry = area.geometry
    if geometry is None:
        return None
    rings = [geometry["coordinates"][0]] if geometry["type"] == "Polygon" else [p[0] for p in geometry["coordinates"]]
    best, at = 0.0, None
    for ring in rings:
        x, y = np.asarray(ring, np.float64)[:, :2].T
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        doubled = float(cross.sum())
        if abs(doubled) > best:
            best = abs(doubled)
            at = Location(
                float(((x[:-1] + x[1:]) * cross).sum() / (3 * doubled)),
                float(((y[:-1] + y[1:]) * cross).sum() / (3 * doubled)),
            )
    return at
