"""What the tests of city services share: Things with values, and a service brought up to a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.city.discovery import discover
from services.city.domain import Domain
from services.city.follow import Follower
from tram.clock import SECOND, from_micros
from tram.sensing import Location, Thing
from tram.settings import Settings
from tram.store import observations, registry
from tram.store.batch import Batch
from tram.store.database import Connection

HOUR = 3600 * SECOND
MINUTE = 60 * SECOND
T0 = 1_790_000_000_000_000 // (24 * HOUR) * (24 * HOUR) - 7 * HOUR
"""Midnight (+07) of a day in 2026."""


def domain(name: str) -> Domain:
    """The service of a name."""
    return next(one for one in discover() if one.name == name)


def thing(
    conn: Connection, name: str, units: Mapping[str, str], at: tuple[float, float] | None = None, *, label: str = "",
    **more: Any,
) -> dict[str, int]:  # fmt: skip
    """A Thing with Datastreams (property -> unit): property -> Datastream id."""
    registry.put(conn, Thing(name, label or name.title(), location=Location(*at) if at else None, **more))
    keys = {p: registry.Key(name, p, unit) for p, unit in units.items()}
    found = registry.resolve(conn, list(keys.values()), "open")
    ids = {}
    for p, key in keys.items():
        one = found[key]
        assert isinstance(one, registry.Resolved), one
        ids[p] = one.datastream_id
    return ids


def store(
    conn: Connection, id: int, times: Sequence[int] | np.ndarray, values: Sequence[float] | np.ndarray, quality: int = 0
) -> None:
    """Values of one Datastream, committed."""
    n = len(times)
    batch = Batch(np.full(n, id, np.int32), np.asarray(times, np.int64), np.asarray(values, float),
                  np.full(n, quality, np.int16))  # fmt: skip
    observations.write(conn, batch)
    conn.commit()


def catch_up(conn: Connection, name: str, now: int, settings: Settings | None = None) -> None:
    """Every derivation of a service, and its clocks, as the worker does them, up to a time."""
    one = domain(name)
    for derivation in one.derivations:
        follower = Follower(one, derivation)
        while follower.step(conn, settings or Settings(), now).more:
            conn.commit()
        conn.commit()


def clock(conn: Connection, name: str, which: str, now: int, settings: Settings | None = None) -> bool:
    """What a service does by the clock, once; whether there was something to do."""
    from services.city.putting import put

    one = domain(name)
    made = next(c for c in one.clocked if c.name == which).compute(conn, settings or Settings(), now)
    if made is not None:
        put(conn, one, made)
    conn.commit()
    return made is not None


ALL = """
SELECT t.name, p.name, o.phenomenon_time, o.result, o.quality, o.parameters
FROM observation o
JOIN datastream d ON d.id = o.datastream_id
JOIN thing t ON t.id = d.thing_id
JOIN observed_property p ON p.id = d.observed_property_id
WHERE d.channel = %s
"""


def computed(conn: Connection, name: str) -> dict[tuple[str, str, int], tuple[float, int, Any]]:
    """(Thing, property, microseconds) -> (value, quality, parameters) of everything that a service computed."""
    rows = conn.execute(ALL, (name,)).fetchall()
    found = {}
    for thing, property, time, value, quality, told in rows:
        micros = round((time - from_micros(0)).total_seconds() * 1e6)
        found[thing, property, micros] = (value, quality, told)
    conn.commit()
    return found
