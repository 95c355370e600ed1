"""`/api/areas`: borders for maps at every zoom, neighbours without gaps, and an answer that need not be sent twice."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from services import areamap
from services.api.areas import Areas
from tests.databases import Database
from tests.servers.api import Api
from tram.geometry import cells
from tram.store import areas
from tram.store.areas import Area

SHARED = Path(os.environ.get("TRAM_X_SHARED", "../shared")) / "data" / "areas" / "thai_nguyen_wards.geojson"


def wavy(columns: int, rows: int) -> list[Area]:
    """A grid of areas whose common borders have many small bends."""
    made = []

    def edge(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
        steps = np.linspace(0, 1, 60, endpoint=False)
        bend = 0.02 * np.sin(steps * 40) * (steps > 0)
        return [[x0 + (x1 - x0) * t + (y1 - y0) * b, y0 + (y1 - y0) * t + (x1 - x0) * b]
                for t, b in zip(steps.tolist(), bend.tolist(), strict=True)]  # fmt: skip

    def between(a: tuple[int, int], b: tuple[int, int]) -> list[list[float]]:
        if a < b:  # drawn the same way from both sides
            return edge(*a, *b)
        return [*edge(*b, *a), [float(b[0] + a[0] - b[0]), float(a[1])]][::-1][:-1]

    for x in range(columns):
        for y in range(rows):
            corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
            ring = [p for k in range(4) for p in between(corners[k], corners[(k + 1) % 4])]
            geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
            made.append(Area(f"{x}-{y}", f"Xã {x}.{y}", "", "Xã", None, geometry, {}))
    return made


def shapes(answer: bytes) -> Any:
    found = json.loads(answer)
    Areas.model_validate(found)
    return shapely.from_geojson([json.dumps(one["geometry"]) for one in found["features"]])


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, areamap.ZOOMS))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_neighbours_meet_at_every_zoom(columns: int, rows: int, zoom: int) -> None:
    given_areas = wavy(columns, rows)
    full, coarse = shapes(areamap.render(given_areas, None)), shapes(areamap.render(given_areas, zoom))
    assert shapely.coverage_is_valid(full)
    assert shapely.coverage_is_valid(coarse)
    assert shapely.is_valid(coarse).all()
    assert shapely.get_num_coordinates(coarse).sum() <= shapely.get_num_coordinates(full).sum()
    far = shapely.hausdorff_distance(shapely.union_all(coarse), shapely.union_all(full))
    assert far < 40 * areamap.pixel(zoom) + 1e-5


def test_finer_zooms_have_more_points_and_the_finest_all() -> None:
    counts = [shapely.get_num_coordinates(shapes(areamap.render(wavy(3, 3), zoom))).sum() for zoom in (2, 8, 12, 22)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] / 5
    assert counts[-1] == shapely.get_num_coordinates(shapes(areamap.render(wavy(3, 3), None))).sum()


def test_areas_that_overlap_or_have_no_border_are_still_there() -> None:
    box = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    shifted = {"type": "Polygon", "coordinates": [[[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]]}
    many = [Area("1", "a", "", "", None, box, {"schematic": True}), Area("2", "b", "", "", None, shifted, {}),
            Area("3", "c", "", "", None, None, {})]  # fmt: skip
    features = json.loads(areamap.render(many, 3))["features"]
    assert [one["geometry"] is None for one in features] == [False, False, True]
    assert [one["properties"]["schematic"] for one in features] == [True, False, False]
    assert features[0]["properties"]["centre"] == [1, 1]
    assert features[2]["properties"]["centre"] is None
    assert areamap.render([], 5) == b'{"type":"FeatureCollection","features":[]}'


def test_over_http_with_an_etag_that_changes_with_the_areas(fresh_api: Api, database: Database) -> None:
    with database.connect() as conn:
        areas.seed(conn)
        conn.commit()
    whole = fresh_api.get("/api/areas")
    assert whole.headers["content-type"] == "application/geo+json"
    assert len(whole.json()["features"]) == 93
    etag = whole.headers["etag"]
    for said in (etag, f'"x", W/{etag}'):
        again = fresh_api.client.get("/api/areas", headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    coarse = fresh_api.get("/api/areas", zoom=6)
    assert coarse.headers["etag"] != etag
    assert len(coarse.content) <= len(whole.content)
    assert coarse.content == fresh_api.get("/api/areas", zoom=6).content
    with database.connect() as conn:
        areas.put(conn, [Area("99999", "Xã mới", "", "Xã", "19", None, {})])
        conn.commit()
    after = fresh_api.client.get("/api/areas", headers={"If-None-Match": etag})
    assert after.status_code == 200
    assert "Xã mới" in after.text
    for wrong in ("zoom=-1", "zoom=23", "zoom=x"):
        assert fresh_api.client.get(f"/api/areas?{wrong}").status_code == 422


def test_the_schematic_cells_stay_a_coverage() -> None:
    places = np.random.default_rng(1).uniform([105, 21], [106, 22], (60, 2))
    made = [Area(str(k), "", "", "", None, shape, {}) for k, shape in enumerate(cells(places))]
    for zoom in (5, 9, 12):
        assert not shapely.is_empty(shapes(areamap.render(made, zoom))).any()


@pytest.mark.skipif(not SHARED.exists(), reason=f"there is no {SHARED}: set TRAM_X_SHARED")
def test_the_real_communes_shrink_without_gaps() -> None:
    features = json.loads(SHARED.read_text())["features"]
    real = [Area(one["properties"]["code"], "", "", "", None, one["geometry"], {}) for one in features]
    full, coarse = areamap.render(real, None), areamap.render(real, 8)
    assert len(coarse) < len(full)
    before, after = shapely.union_all(shapes(full)), shapely.union_all(shapes(coarse))
    assert after.symmetric_difference(before).area < 0.02 * before.area
