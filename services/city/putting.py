"""Results into a service's own Datastreams: new values, corrections of what changed, nothing for what did not.

A Datastream belongs to a service when its channel is the service's name; no other is ever written. Its Sensor is the
formula with its edition, as SensorThings calls a procedure.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.city.domain import Domain
from services.city.held import compared
from services.city.inputs import QUERIES
from services.city.results import Results, Told
from tram.errors import ConflictError
from tram.properties import fresh_for
from tram.quality import Quality
from tram.store import observations
from tram.store.batch import Batch
from tram.store.database import Connection, available


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
    told: list[bytes] = []
    for given, (_, n) in zip(results.parameters, results.properties, strict=True):
        told += [b""] * n if given is None else _encoded(given)
    ids = _datastreams(conn, domain, results)
    there, same = compared(conn, ids, times, values, told)
    none = ~np.isfinite(values)
    new = np.flatnonzero(~there & ~none)
    changed = np.flatnonzero(there & ~none & ~same)
    gone = np.flatnonzero(there & none)
    if len(new):
        observations.write(conn, _batch(ids, times, values, told, new))
    if len(changed):
        observations.put(conn, _batch(ids, times, values, told, changed))
    if len(gone):
        observations.delete(conn, ids[gone], times[gone])
    return Put(len(new), len(changed), len(gone), int(same.sum()))


def _encoded(given: Sequence[Told]) -> Sequence[bytes]:
    if set(map(type, given)) == {bytes}:  # where there are many: they were made with care
        return cast(Sequence[bytes], given)
    return [one if isinstance(one, bytes) else msgspec.json.encode(one) if one else b"" for one in given]


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
        rhythm = {"period_seconds": observed.period, "fresh_seconds": fresh_for(observed)}
        conn.execute(
            QUERIES["put_property"],
            {
                "name": name, "labels": msgspec.json.encode(dict(observed.labels)).decode(),
                "definition": observed.definition, "description": f"{said}: {formula.description}",
                "properties": msgspec.json.encode(rhythm).decode(),
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
