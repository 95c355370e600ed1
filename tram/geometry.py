"""Plane geometry on WGS 84 degrees: points in polygons, and schematic cells around points. Pure.

Polygons are GeoJSON geometries (RFC 7946): Polygon or MultiPolygon, the first ring the outside, the others holes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""Shape (n, 2): longitude, latitude."""

MOST_POSITIONS = 500_000  # of one geometry


def check_polygon(geometry: Any) -> str | None:
    """Why it is no Polygon or MultiPolygon, in a few words; None when it is one."""
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return "its geometry is no Polygon or MultiPolygon"
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    if not isinstance(polygons, list) or not polygons:
        return "its geometry has no coordinates"
    positions = 0
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            return "one of its polygons has no ring"
        for ring in polygon:
            if not isinstance(ring, list) or len(ring) < 4:
                return "one of its rings has fewer than 4 positions"
            positions += len(ring)
            if positions > MOST_POSITIONS:
                return f"it has more than {MOST_POSITIONS} positions"
            if not all(_is_position(position) for position in ring):
                return "one of its positions is no longitude and latitude"
            if ring[0][:2] != ring[-1][:2]:
                return "one of its rings is not closed"
    return None


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and len(position) >= 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in position)
        and abs(position[0]) <= 180
        and abs(position[1]) <= 90
    )


def inside(geometry: Mapping[str, Any], points: Points) -> NDArray[np.bool_]:
    """Which points lie in a geometry that `check_polygon` accepts (even-odd rule; on the edge it may go either way)."""
    found = np.zeros(len(points), bool)
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        rings = [np.array([position[:2] for position in ring], np.float64) for ring in polygon]
        low, high = rings[0].min(axis=0), rings[0].max(axis=0)
        near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
        if len(near):
            crossings = sum((_crossings(ring, points[near]) for ring in rings), np.zeros(len(near), np.int64))
            found[near] |= crossings % 2 == 1
    return found


def _crossings(ring: Points, points: Points) -> NDArray[np.int64]:
    """How many edges of a closed ring a ray from each point to the east crosses."""
    (x1, y1), (x2, y2) = ring[:-1].T, ring[1:].T
    counts = np.zeros(len(points), np.int64)
    for index, (x, y) in enumerate(points):
        spans = (y1 > y) != (y2 > y)
        at = x1[spans] + (y - y1[spans]) * (x2[spans] - x1[spans]) / (y2[spans] - y1[spans])
        counts[index] = np.count_nonzero(at > x)
    return counts


def assign(areas: Sequence[tuple[str, Mapping[str, Any]]], points: Points) -> list[str | None]:
    """The first area that each point lies in; None: in none."""
    found: list[str | None] = [None] * len(points)
    for name, geometry in areas:
        open_ = np.array([index for index, area in enumerate(found) if area is None], np.intp)
        if not len(open_):
            break
        for index in open_[inside(geometry, points[open_])].tolist():
            found[index] = name
    return found


def cells(centres: Points, margin: float = 0.06) -> list[dict[str, Any]]:
    """A Polygon a centre: what is nearer to it than to others (Voronoi), in their hull and `margin` degrees more.

    Schematic: it shows where places lie to each other, not where borders run. Centres must differ.
    """
    hull = _hull(centres)
    outward = hull - hull.mean(axis=0)
    hull = hull + margin * outward / np.linalg.norm(outward, axis=1, keepdims=True)
    found = []
    for index, centre in enumerate(centres):
        cell = hull
        for other in np.argsort(((centres - centre) ** 2).sum(axis=1))[1:].tolist():
            cell = _half(cell, (centre + centres[other]) / 2, centres[other] - centres[index])
        ring = [[round(float(x), 5), round(float(y), 5)] for x, y in cell]
        found.append({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    return found


def _hull(points: Points) -> Points:
    """The convex hull, counter-clockwise (Andrew's monotone chain)."""
    order = sorted(map(tuple, points.tolist()))

    def chain(places: Sequence[Any]) -> list[Any]:
        kept: list[Any] = []
        for p in places:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return np.array(chain(order) + chain(order[::-1]), np.float64)


def _turn(a: Any, b: Any, c: Any) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _half(polygon: Points, origin: Points, direction: Points) -> Points:
    """The part of a convex polygon that lies against `direction` from `origin` (Sutherland and Hodgman)."""
    side = (polygon - origin) @ direction
    kept = []
    for index in range(len(polygon)):
        a, b, p, q = side[index - 1], side[index], polygon[index - 1], polygon[index]
        if (a <= 0) != (b <= 0):
            kept.append(p + (q - p) * a / (a - b))
        if b <= 0:
            kept.append(q)
    return np.array(kept)
