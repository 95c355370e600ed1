"""Administrative areas: imported from GeoJSON, or the built-in schematic ones; Things by where they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np

from tram.errors import PayloadError
from tram.geometry import assign, cells, check_polygon
from tram.store import sqlfile
from tram.store.batch import encode_json, storable_text
from tram.store.database import Connection, available

PROVINCE = "19"
"""The official code of the province of communes.csv: Thái Nguyên."""
MOST_BYTES = 200 * 1024 * 1024
STEP = 2_000  # Things placed at once


@dataclass(frozen=True, slots=True)
class Area:
    """One area. `geometry` is a GeoJSON Polygon or MultiPolygon; `schematic`: its borders are drawn, not surveyed."""

    id: str
    name: str
    name_en: str
    kind: str
    parent: str | None
    geometry: Mapping[str, Any] | None
    properties: Mapping[str, Any]

    @property
    def schematic(self) -> bool:
        return self.properties.get("schematic") is True


def list_areas(conn: Connection) -> list[Area]:
    """All, by id."""
    with available():
        return [Area(*row) for row in conn.execute(sqlfile.load("areas")["list"])]


def version(conn: Connection) -> str:
    """A text that is another whenever an area is added, changed or removed."""
    with available():
        row = conn.execute(sqlfile.load("areas")["version"]).fetchone()
    assert row is not None
    return str(row[0])


def put(conn: Connection, areas: Sequence[Area]) -> None:
    """Adds areas or describes them anew; a parent before its children. Never commits. Things are placed by `place`."""
    queries = sqlfile.load("areas")
    with available():
        for area in areas:
            geometry = None if area.geometry is None else encode_json(area.geometry).decode()
            conn.execute(
                queries["put"],
                {
                    "id": storable_text(area.id), "name": storable_text(area.name), "kind": storable_text(area.kind),
                    "name_en": storable_text(area.name_en), "parent": area.parent, "geometry": geometry,
                    "properties": encode_json(dict(area.properties)).decode(),
                },
            )  # fmt: skip
        conn.execute(queries["place_all_again"])


def seed(conn: Connection) -> int:
    """The built-in schematic areas, where there is none at all yet; returns how many were added. Never commits."""
    with available():
        row = conn.execute(sqlfile.load("areas")["any"]).fetchone()
    if row is None or row[0]:
        return 0
    built_in = schematic()
    put(conn, built_in)
    return len(built_in)


def schematic() -> list[Area]:
    """The province and its communes from tram/communes.csv; borders halfway between their centres."""
    text = files("tram").joinpath("communes.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")][1:]
    shapes = cells(np.array([[float(lon), float(lat)] for *_, lon, lat in rows]))
    marked = {"schematic": True}
    province = Area(PROVINCE, "Thái Nguyên", "Thái Nguyên province", "Tỉnh", None, None, marked)
    return [
        province,
        *(
            Area(code, f"{kind} {name}", name, kind, PROVINCE, shape, marked)
            for (code, kind, name, *_), shape in zip(rows, shapes, strict=True)
        ),
    ]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `faults`: (number of the feature from 1, why it was left out)."""

    loaded: int
    faults: Sequence[tuple[int, str]]


def import_geojson(
    conn: Connection,
    data: bytes,
    *,
    id: str = "code",
    name: str = "name",
    kind: str = "kind",
    parent: str | None = None,
) -> Imported:
    """A FeatureCollection (RFC 7946) of Polygons; what is wrong is left out and said, the rest loaded. Never commits.

    Args:
        id, name, kind: the features' properties that hold them. A kind that is not there is the start of `fullName`
            before the name ("Phường Đức Xuân" is a Phường).
        parent: id of the area they are all in; areas that are there keep theirs without it.

    Raises:
        PayloadError: it is no FeatureCollection at all, or there is no such parent.
    """
    if len(data) > MOST_BYTES:
        raise PayloadError(f"larger than {MOST_BYTES >> 20} MiB", code="size")
    try:
        collection = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError(f"no JSON: {error}", code="json") from None
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise PayloadError("no GeoJSON FeatureCollection", code="geojson")
    if parent is not None:
        row = conn.execute(sqlfile.load("areas")["exists"], (parent,)).fetchone()
        if row is None or not row[0]:
            raise PayloadError(f"there is no area {parent!r} to be the parent", code="parent")
    good: dict[str, Area] = {}
    faults = []
    for number, feature in enumerate(features, 1):
        area = _area(feature, id, name, kind, parent)
        if isinstance(area, str):
            faults.append((number, area))
        elif area.id in good:
            faults.append((number, f"the id {area.id!r} is there twice"))
        else:
            good[area.id] = area
    put(conn, list(good.values()))
    return Imported(len(good), faults)


def _area(feature: Any, id: str, name: str, kind: str, parent: str | None) -> Area | str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return "it is no feature with properties"
    code, title = properties.get(id), properties.get(name)
    code = str(code) if isinstance(code, int) and not isinstance(code, bool) else code
    if not isinstance(code, str) or not code.strip() or len(code) > 255:
        return f"its property {id!r} is no id"
    if not isinstance(title, str) or not title.strip():
        return f"its property {name!r} is no name"
    if code == parent:
        return "it would be its own parent"
    fault = check_polygon(feature.get("geometry"))
    if fault:
        return fault
    what, full = properties.get(kind), properties.get("fullName")
    if not isinstance(what, str):
        what = full.removesuffix(title).strip() if isinstance(full, str) else ""
    if isinstance(full, str) and full.endswith(title):
        title = full
    rest = {key: value for key, value in properties.items() if key not in (id, name, kind)}
    return Area(code, title, str(properties.get("name_en") or ""), what, parent, feature["geometry"], rest)


def place(conn: Connection) -> int:
    """Gives Things without a stated area the area they stand in; returns how many it looked at.

    Bounded: call again while it is not 0. Never commits.
    """
    queries = sqlfile.load("areas")
    with available():
        rows = conn.execute(queries["unplaced"], (STEP,)).fetchall()
        if not rows:
            return 0
        shapes = [(id, geometry) for id, geometry in conn.execute(queries["with_geometry"])
                  if check_polygon(geometry) is None]  # fmt: skip
        found = assign(shapes, np.array([row[1:] for row in rows], np.float64))
        arguments = {
            "ids": [row[0] for row in rows], "areas": found, "longitudes": [row[1] for row in rows],
            "latitudes": [row[2] for row in rows],
        }  # fmt: skip
        conn.execute(queries["deriving"])
        conn.execute(queries["place"], arguments)
        conn.execute(queries["deriving_no_more"])
    return len(rows)
