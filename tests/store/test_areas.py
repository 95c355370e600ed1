"""Areas: geometry by properties, the built-in schematic ones, GeoJSON with faults, Things by where they stand."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import Database
from tram.errors import PayloadError
from tram.geometry import assign, cells, check_polygon, inside
from tram.sensing import Location, Thing
from tram.store import areas, registry
from tram.store.database import Connection

SHARED = Path(os.environ.get("TRAM_X_SHARED", "../shared")) / "data" / "areas" / "thai_nguyen_wards.geojson"
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]


def test_holes_and_several_polygons() -> None:
    points = np.array([[5.0, 5.0], [1.0, 1.0], [11.0, 1.0], [25.0, 5.0], [-1.0, 5.0]])
    assert inside({"type": "Polygon", "coordinates": [SQUARE, HOLE]}, points).tolist() == [0, 1, 0, 0, 0]
    far = [[[x + 20, y] for x, y in SQUARE]]
    both = {"type": "MultiPolygon", "coordinates": [[SQUARE], far]}
    assert inside(both, points).tolist() == [1, 1, 0, 1, 0]


PLACES = st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=4, max_size=25, unique=True)


@given(PLACES, st.tuples(st.floats(-4, 4), st.floats(-4, 4)))
def test_a_cell_holds_what_is_nearest_to_its_centre(places: list[tuple[int, int]], place: tuple[float, float]) -> None:
    centres = np.array(places) / 100
    if np.linalg.matrix_rank(centres - centres[0]) < 2:
        return
    shapes = cells(centres)
    assert [check_polygon(shape) for shape in shapes] == [None] * len(shapes)
    names = [(str(k), shape) for k, shape in enumerate(shapes)]
    assert assign(names, centres) == [str(k) for k in range(len(centres))]
    (found,) = assign(names, np.array([place]))
    distances = np.hypot(*(centres - place).T)
    if found is not None:
        assert distances[int(found)] <= distances.min() + 1e-4  # cells are rounded to 5 places


@pytest.mark.parametrize(
    "geometry",
    [
        None, {}, {"type": "Point", "coordinates": [1, 2]}, {"type": "Polygon"}, {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[]]}, {"type": "Polygon", "coordinates": [SQUARE[:4]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [999, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], ["a", 0], [1, 1], [0, 0]]]},
        {"type": "MultiPolygon", "coordinates": [SQUARE]}, {"type": "Polygon", "coordinates": {"a": 1}},
        {"type": "Polygon", "coordinates": [[[True, 0], [1, 0], [1, 1], [True, 0]]]},
    ],
)  # fmt: skip
def test_what_is_no_polygon_is_said(geometry: Any) -> None:
    assert check_polygon(geometry)


def area_of(conn: Connection, name: str) -> str | None:
    return registry.get_thing(conn, name).area


def test_things_get_the_area_they_stand_in(database: Database) -> None:
    conn = database.connect()
    assert areas.seed(conn) == 93
    assert areas.seed(conn) == 0
    built_in = {area.id: area for area in areas.list_areas(conn)}
    assert built_in["05443"].parent == areas.PROVINCE
    assert all(area.schematic for area in built_in.values())
    place = Location(105.86, 22.11)  # Bắc Kạn
    registry.put(conn, Thing("a", location=place))
    registry.put(conn, Thing("stated", location=place, area="05443"))
    registry.put(conn, Thing("far", location=Location(2.35, 48.86)))
    registry.put(conn, Thing("nowhere"))
    assert areas.place(conn) == 2
    assert areas.place(conn) == 0
    assert [area_of(conn, n) for n in ("a", "stated", "far", "nowhere")] == ["01843", "05443", None, None]
    # It moves, and its area with it; a stated one stays.
    id = registry.get_thing(conn, "a").id
    registry.describe(conn, id, location=Location(105.85, 22.17))
    registry.describe(conn, registry.get_thing(conn, "stated").id, location=Location(105.85, 22.17))
    assert areas.place(conn) == 1
    assert (area_of(conn, "a"), area_of(conn, "stated")) == ("01840", "05443")
    registry.describe(conn, id, area="05443")
    registry.describe(conn, id, location=place)
    assert areas.place(conn) == 0
    assert area_of(conn, "a") == "05443"
    registry.describe(conn, id, area="")
    while areas.place(conn):
        pass
    assert area_of(conn, "a") == "01843"


def test_an_import_loads_what_is_right_and_says_the_rest(one_database: Database) -> None:
    conn = one_database.connect()
    areas.seed(conn)
    registry.put(conn, Thing("a", location=Location(5.5, 9.0)))
    areas.place(conn)
    good = {"type": "Polygon", "coordinates": [SQUARE]}
    features: list[Any] = [
        {"type": "Feature", "geometry": good, "properties": {"code": "05443", "name": "X", "fullName": "Xã X", "n": 1}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": {"code": "1"}},
        {"type": "Feature", "geometry": good, "properties": {"name": "Y"}},
        {"type": "Feature", "geometry": good, "properties": {"code": "05443", "name": "again"}},
        {"type": "Feature", "geometry": good, "properties": {"code": 7, "name": " "}},
        "text",
    ]  # fmt: skip
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    done = areas.import_geojson(conn, data)
    assert done.loaded == 1
    assert [number for number, _ in done.faults] == [2, 3, 4, 5, 6]
    found = {area.id: area for area in areas.list_areas(conn)}["05443"]
    assert (found.name, found.kind, found.parent, found.schematic) == ("Xã X", "Xã", areas.PROVINCE, False)
    areas.place(conn)
    assert area_of(conn, "a") == "05443"
    for bad in (b"", b"[]", b"{}", b"[" * 5000, b'{"type":"FeatureCollection"}', b"\xff"):
        with pytest.raises(PayloadError):
            areas.import_geojson(conn, bad)
    with pytest.raises(PayloadError, match="parent"):
        areas.import_geojson(conn, data, parent="none")


def test_the_real_borders_load(one_database: Database) -> None:
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not here: set TRAM_X_SHARED to the folder that holds data/areas")
    conn = one_database.connect()
    areas.seed(conn)
    done = areas.import_geojson(conn, SHARED.read_bytes())
    assert (done.loaded, list(done.faults)) == (92, [])
    real = [(a.id, a.geometry) for a in areas.list_areas(conn) if a.geometry is not None]
    assert not any(area.schematic for area in areas.list_areas(conn) if area.id != areas.PROVINCE)
    found = assign(real, np.array([[105.848, 21.594]]))  # the middle of Thái Nguyên city
    assert found == ["05443"]
