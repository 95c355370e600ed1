"""The geospatial functions of $filter, by shapely over the stored geometries: the database has no PostGIS.

Planar in the coordinates of WGS 84: geo.distance and geo.length are in degrees (docs/adr/0101).
"""

import math
import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import shapely  # type: ignore[import-untyped]
from numpy.typing import NDArray

from services.sta.sql import Sql
from services.sta.syntax import Geometry
from tram.errors import TramError
from tram.store.database import Connection

MOST = 50_000
"""Most geometries that one function is evaluated on."""
SPREAD = 2_000_000
"""Largest difference of ids that distances are looked up by."""

Array = NDArray[Any]
_TABLES = {
    "Location": "SELECT id, geometry::text FROM location LIMIT %s",
    "FeatureOfInterest": "SELECT id, feature::text FROM feature_of_interest LIMIT %s",
    "Datastream": "SELECT id, observed_area::text FROM datastream WHERE observed_area IS NOT NULL LIMIT %s",
}
_RELATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "geo.intersects": shapely.intersects,
    "st_intersects": shapely.intersects,
    "st_equals": shapely.equals,
    "st_disjoint": shapely.disjoint,
    "st_touches": shapely.touches,
    "st_within": shapely.within,
    "st_overlaps": shapely.overlaps,
    "st_crosses": shapely.crosses,
    "st_contains": shapely.contains,
    "geo.distance": shapely.distance,
}


_SAME = ("geo.intersects", "st_intersects", "st_equals", "st_disjoint", "st_touches", "st_overlaps", "st_crosses")
_TURNED = {"st_within": "st_contains", "st_contains": "st_within", **{name: name for name in _SAME}}


def invalid(geojson: object) -> str | None:
    """Why a value is no GeoJSON (RFC 7946) geometry or Feature, or None when it is one."""
    if not isinstance(geojson, dict):
        return "a GeoJSON object is expected"
    kind = geojson.get("type")
    if kind == "Feature":
        return None if geojson.get("geometry") is None else invalid(geojson["geometry"])
    if kind == "FeatureCollection":
        features = geojson.get("features")
        if not isinstance(features, list):
            return "a FeatureCollection has features"
        return next((fault for fault in map(invalid, features) if fault), None)
    if kind == "GeometryCollection":
        parts = geojson.get("geometries")
        if not isinstance(parts, list):
            return "a GeometryCollection has geometries"
        return next((fault for fault in map(invalid, parts) if fault), None)
    depth = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
    if not isinstance(kind, str) or kind not in depth:
        return f"{str(kind)[:40]!r} is no type of GeoJSON"
    if "coordinates" not in geojson:
        return f"a {kind} has coordinates"
    return _positions(geojson["coordinates"], depth[kind], kind)


def _positions(value: object, depth: int, kind: str) -> str | None:
    if not isinstance(value, list):
        return f"the coordinates of a {kind} are nested lists of numbers"
    if depth:
        if kind in ("Polygon", "MultiPolygon") and depth == 1 and (len(value) < 4 or value[0] != value[-1]):
            return "a ring has four positions or more and ends where it begins"
        if kind in ("LineString", "MultiLineString") and depth == 1 and len(value) < 2:
            return "a line has two positions or more"
        return next((fault for part in value if (fault := _positions(part, depth - 1, kind))), None)
    if not 2 <= len(value) <= 4 or not all(
        isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e300 for n in value
    ):
        return "a position is longitude, latitude and perhaps a height"
    if abs(value[0]) > 180 or abs(value[1]) > 90:
        return f"longitude {value[0]:g}, latitude {value[1]:g} is no place on Earth"
    return None


def point(geojson: dict[str, Any]) -> tuple[float, float] | None:
    """(longitude, latitude) of a point inside a geometry or Feature; None where there is none."""
    try:
        shape = shapely.from_geojson(msgspec.json.encode(geojson).decode(), on_invalid="ignore")
        inside = None if shape is None or shape.is_empty else shape.representative_point()
    except (shapely.errors.GEOSException, ValueError, TypeError):
        return None
    return None if inside is None or inside.is_empty else (inside.x, inside.y)


class Place:
    """A stored geometry in a query: which entity's, and SQL of that entity's id."""

    def __init__(self, entity: str, id: str) -> None:
        self.entity, self.id = entity, id


Loaded = dict[str, tuple[NDArray[np.int64], Array]]
"""Stored geometries by entity: read once for all functions of a query."""


def call(
    conn: Connection, name: str, arguments: list[Place | Geometry], pattern: str = "", loaded: Loaded | None = None
) -> Sql:
    """One function as SQL.

    Raises:
        TramError: two stored geometries, too many of them, or a pattern that is none.
    """
    places = [a for a in arguments if isinstance(a, Place)]
    if len(places) > 1:
        raise TramError(f"{name} compares a stored geometry with a literal one", code="query")
    if name == "st_relate" and not re.fullmatch("[012TF*]{9}", pattern):
        raise TramError(f"the pattern of st_relate has nine of 0 1 2 T F *, not {pattern[:20]!r}", code="query")
    ids, stored = np.zeros(1, np.int64), np.array([None], object)
    if places:
        loaded = {} if loaded is None else loaded
        if places[0].entity not in loaded:
            loaded[places[0].entity] = _load(conn, places[0].entity)
        ids, stored = loaded[places[0].entity]
    sides = [stored if isinstance(a, Place) else _literal(a) for a in arguments]
    try:
        found = _evaluate(name, sides, pattern)
    except shapely.errors.GEOSException as error:
        raise TramError(f"{name} cannot be evaluated: {str(error)[:200]}", code="query") from None
    if not places:
        constant = found.reshape(-1)[0]
        if found.dtype == bool:
            return Sql("true" if constant else "false")
        return Sql("%s::float8", (None if math.isnan(constant) else float(constant),))
    if found.dtype == bool:
        return Sql(f"({places[0].id} = ANY(%s::bigint[]))", ([int(i) for i in ids[found]],))
    return _lookup(places[0].id, ids, found)


def _evaluate(name: str, sides: list[Any], pattern: str) -> Array:
    if len(sides) == 2 and name in _TURNED and not isinstance(sides[1], np.ndarray):
        name, sides = _TURNED[name], sides[::-1]  # a prepared geometry stands first: hundreds of times as fast
    if not isinstance(sides[0], np.ndarray):
        shapely.prepare(sides[0])
    if name == "geo.length":
        return np.asarray(shapely.length(sides[0]), np.float64)
    if name == "st_relate":
        return np.asarray(shapely.relate_pattern(sides[0], sides[1], pattern), bool)
    return np.asarray(_RELATIONS[name](sides[0], sides[1]))


def _load(conn: Connection, entity: str) -> tuple[NDArray[np.int64], Array]:
    rows = conn.execute(_TABLES[entity].encode(), (MOST + 1,)).fetchall()
    if len(rows) > MOST:
        raise TramError(f"there are more than {MOST} geometries: filter by something else", code="query")
    ids = np.array([row[0] for row in rows], np.int64)
    texts = np.array([_geometry(row[1]) for row in rows], object)
    return ids, np.asarray(shapely.from_geojson(texts, on_invalid="ignore"), object).reshape(len(rows))


def _geometry(text: str) -> str | None:
    return text if text.startswith("{") else None


def _literal(geometry: Geometry) -> Any:
    return shapely.from_geojson(msgspec.json.encode(geometry.geojson).decode())  # one geometry, not an array


def _lookup(id: str, ids: NDArray[np.int64], found: NDArray[np.float64]) -> Sql:
    """The value of an id out of an array without NULLs: its elements are found by their place, not by walking."""
    if len(ids) == 0:
        return Sql("NULL::float8")
    first, spread = int(ids.min()), int(ids.max() - ids.min()) + 1
    if spread > SPREAD:
        raise TramError("the ids of the geometries lie too far apart to measure them all", code="query")
    values = np.full(spread, np.nan)
    values[ids - first] = found
    return Sql(f"nullif((%s::float8[])[{id} - {first - 1}], 'NaN')", (values.tolist(),))
