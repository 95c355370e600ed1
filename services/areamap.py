"""Areas as GeoJSON for maps: their borders as fine as a zoom level can show, neighbours still meeting exactly. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import shapely  # type: ignore[import-untyped]

from tram.store.areas import Area

ZOOMS = 22
_TILE = 512
"""Pixels of a tile at which a zoom level is counted, as MapLibre does."""
_PRECISION = 1e-6
"""Degrees: a tenth of a metre."""


def pixel(zoom: int) -> float:
    """Degrees of longitude that one pixel of a map spans."""
    return 360.0 / (_TILE * 2.0**zoom)


def render(areas: Sequence[Area], zoom: int | None) -> bytes:
    """A FeatureCollection (RFC 7946). `zoom`: borders keep what is larger than half a pixel there; None: all of it.

    A border that two areas share is simplified once for both, so that no gap and no overlap comes in between. Areas
    without a geometry have a null one. `centre` is a point inside, for a label.
    """
    shapes = np.array([_shape(area) for area in areas], object)
    there = np.flatnonzero([shape is not None for shape in shapes])
    centres = {int(k): shapely.point_on_surface(shapes[k]) for k in there}
    if zoom is not None and len(there):
        shapes[there] = _simplified(areas, shapes, there, pixel(zoom) / 2)
    features = []
    for k, area in enumerate(areas):
        centre = centres.get(k)
        at = None if centre is None or centre.is_empty else [round(centre.x, 6), round(centre.y, 6)]
        geometry: Any = None if shapes[k] is None else msgspec.Raw(_text(shapes[k]))
        properties = {
            "code": area.id, "name": area.name, "name_en": area.name_en, "kind": area.kind, "parent": area.parent,
            "schematic": area.schematic, "centre": at,
        }  # fmt: skip
        features.append({"type": "Feature", "id": area.id, "geometry": geometry, "properties": properties})
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _shape(area: Area) -> Any:
    if area.geometry is None:
        return None
    shape = shapely.from_geojson(msgspec.json.encode(area.geometry), on_invalid="ignore")
    return None if shape is None or shape.is_empty else shape


def _text(shape: Any) -> bytes:
    return str(shapely.to_geojson(shapely.set_precision(shape, _PRECISION, mode="pointwise"))).encode()


def _simplified(areas: Sequence[Area], shapes: Any, there: Any, tolerance: float) -> Any:
    """Those of one parent together: they are neighbours. What overlaps (it is no coverage) is simplified by itself."""
    found = shapes.copy()
    groups: dict[str | None, list[int]] = {}
    for k in there.tolist():
        groups.setdefault(areas[k].parent, []).append(k)
    for group in groups.values():
        some = shapes[group]
        if shapely.coverage_is_valid(some):
            found[group] = shapely.coverage_simplify(some, tolerance)
        else:
            found[group] = shapely.simplify(some, tolerance, preserve_topology=True)
    return found[there]
