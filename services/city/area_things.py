"""Areas as Things: what is computed of a commune hangs on a Thing of its own."""

from typing import NamedTuple

import numpy as np

from services.city.inputs import QUERIES
from tram.sensing import Location, Thing
from tram.store import areas, registry
from tram.store.database import Connection, available

AREA_KIND = "area"
"""Things of this kind stand for an area itself: what is computed of a commune hangs on `area-{code}`."""


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
