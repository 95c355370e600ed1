"""What msgspec writes for answers of many rows is what the models of OpenAPI say."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.api import models, wire
from services.paging import Page
from tests.servers.api import Api
from tram.sensing import Observation
from tram.store import aggregate
from tram.store.history import History
from tram.store.series import Value

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
STREAM = models.Datastream(id=7, thing="aq-01", property="pm2_5", labels={"vi": "Bụi PM2.5"}, unit="ug/m3")


@pytest.mark.parametrize("name", ["Reading", "Point", "Bucket", "Series"])
def test_the_fields_are_those_of_the_model(name: str) -> None:
    struct, model = getattr(wire, name), getattr(models, name)
    assert list(struct.__struct_fields__) == list(model.model_fields)


def test_readings_are_what_the_model_would_have_written() -> None:
    rows = [
        Value(1, "aq-01", "Trạm \"khí\"", "pm2_5", "ug/m3", NOON, 20.5, None, 0),
        Value(2, "b", "", "state", "", NOON - timedelta(days=9), None, {"open": [True, None, 1.5]}, 0x7FFF),
        Value(3, "c", "", "x", "1", datetime(2026, 1, 1, tzinfo=UTC), -1e-300, None, 3),
    ]  # fmt: skip
    answer = wire.readings(rows, "next")
    page = Page[models.Reading](items=[models.Reading.of(row) for row in rows], next="next")
    assert json.loads(bytes(answer.body)) == json.loads(page.model_dump_json())
    assert Page[models.Reading].model_validate_json(bytes(answer.body)) == page
    assert json.loads(bytes(wire.readings([], None).body)) == {"items": [], "next": None}


def test_a_series_is_what_the_model_says() -> None:
    rows = [Observation(7, 1_780_000_000_000_000 + n, n / 4, n, {"v": n} if n == 2 else None, None) for n in range(3)]
    body = bytes(wire.series(STREAM, NOON, NOON, rows, None).body)
    read = models.Series.model_validate_json(body)
    assert [(p.result, p.value, p.quality) for p in read.items] == [(0, None, 0), (0.25, None, 1), (0.5, {"v": 2}, 2)]
    assert read.items[1].time - read.items[0].time == timedelta(microseconds=1)
    assert json.loads(read.model_dump_json()) == json.loads(body)


def test_a_bucket_without_a_mean_says_null() -> None:
    times = np.array([0, 1, 3_600_000_000])
    results = np.array([1.0, 2.0, 1e301])
    one = aggregate.of_observations(np.full(3, 7, np.int32), times, results, np.array([0, 1, 0], np.int16))
    buckets = aggregate.combine(one, 3_600_000_000)
    found = History("1h", 3_600_000_000, thinned=False, raw=None, buckets=buckets)
    body = bytes(wire.plot(STREAM, NOON, NOON, found).body)
    read = models.Series.model_validate_json(body)
    assert read.buckets is not None
    assert [(b.n, b.mean, b.first, b.last) for b in read.buckets] == [(2, 1.5, 1, 2), (1, None, 1e301, 1e301)]
    assert read.bucket_seconds == 3600
    assert json.loads(read.model_dump_json()) == json.loads(body)


def test_openapi_still_says_it(one_api: Api) -> None:
    paths = one_api.get("/api/openapi.json").json()["paths"]
    said = {
        path: paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
        for path in ("/api/latest", "/api/datastreams/{id}/series")
    }
    assert said == {"/api/latest": "Page_Reading_", "/api/datastreams/{id}/series": "Series"}
    everything = one_api.get("/api/latest", limit=10_000)
    assert Page[models.Reading].model_validate_json(everything.content).items
    assert everything.headers["content-type"] == "application/json"
