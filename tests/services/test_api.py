"""The API over real databases of every edition, through a real server."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.databases import Database
from tests.servers.api import Api
from tests.services.filling import MINUTES, THINGS, now, store

STREAMS = sum(len(properties) for *_, properties in THINGS.values())


def walk(api: Api, path: str, **parameters: object) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    cursor: dict[str, object] = {}
    for _ in range(1000):
        page = api.get(path, **parameters, **cursor).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}
    raise AssertionError("the walk does not end")


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == status
    assert "Traceback" not in answer.text
    return body


def test_things_page_without_gaps_or_duplicates(api: Api) -> None:
    for limit in (1, 2, 3, 100):
        names = [thing["name"] for thing in walk(api, "/api/things", limit=limit)]
        assert sorted(names) == sorted([*THINGS, "new-01"])
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"q": "AQ-"}, {"aq-01", "aq-02"}),
        ({"q": "gia bảy"}, {"river-01"}),
        ({"q": "%"}, {"odd/name %41 <b>"}),
        ({"kind": "river"}, {"river-01"}),
        ({"status": "pending"}, {"new-01"}),
        ({"area": "nowhere"}, set()),
        ({"kind": "air", "q": "02"}, {"aq-02"}),
    ],
)
def test_filters_of_things(one_api: Api, filters: dict[str, str], expected: set[str]) -> None:
    assert {thing["name"] for thing in one_api.get("/api/things", **filters).json()["items"]} == expected


def test_a_thing_with_its_datastreams_and_latest_values(api: Api) -> None:
    thing = api.get("/api/things/aq-01").json()
    assert thing["location"] == {"type": "Point", "coordinates": [105.86, 21.68]}
    assert {s["property"]: s["unit"] for s in thing["streams"]} == {"pm2_5": "ug/m3", "air_temperature": "Cel"}
    latest = api.get("/api/things/aq-01/latest").json()
    assert {r["property"] for r in latest} == {"pm2_5", "air_temperature"}
    for reading in latest:
        stream = api.get(f"/api/datastreams/{reading['datastream']}/series", limit=10_000).json()
        assert stream["items"][-1]["time"] == reading["time"]
        assert stream["items"][-1]["result"] == reading["result"]
        assert len(stream["items"]) == MINUTES


def test_names_with_slashes_percents_and_markup(one_api: Api) -> None:
    quoted = "/api/things/odd%2Fname%20%2541%20%3Cb%3E"
    assert one_api.get(quoted).json()["name"] == "odd/name %41 <b>"
    assert [r["property"] for r in one_api.get(f"{quoted}/latest").json()] == ["pm2_5"]


def test_latest_of_all_and_newest(api: Api) -> None:
    latest = walk(api, "/api/latest", limit=2)
    assert len(latest) == STREAMS
    assert len({r["datastream"] for r in latest}) == STREAMS
    newest = api.get("/api/observations/newest", limit=3).json()
    assert len(newest) == 3


def test_latest_as_it_was_at_a_moment(api: Api) -> None:
    id = api.get("/api/things/river-01").json()["streams"][0]["id"]
    values = walk(api, f"/api/datastreams/{id}/series", limit=100)
    then = values[10]["time"]
    found = {row["datastream"]: row for row in walk(api, "/api/latest", limit=2, at=then)}
    assert (found[id]["time"], found[id]["result"]) == (then, values[10]["result"])
    assert all(datetime.fromisoformat(row["time"]) <= datetime.fromisoformat(then) for row in found.values())
    before = datetime.fromisoformat(values[0]["time"]) - timedelta(days=1)
    assert walk(api, "/api/latest", limit=100, at=before.isoformat()) == []


def test_a_series_pages_in_order_of_time(api: Api) -> None:
    id = api.get("/api/things/river-01").json()["streams"][0]["id"]
    times = [p["time"] for p in walk(api, f"/api/datastreams/{id}/series", limit=7)]
    assert len(times) == MINUTES
    assert times == sorted(times)
    middle = times[10]
    part = api.get(f"/api/datastreams/{id}/series", **{"from": middle, "to": times[20]}).json()["items"]
    assert [p["time"] for p in part] == times[10:20]


def test_an_export_streams_what_fits(api: Api) -> None:
    answer = api.get("/api/export", thing="river-01")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert lines[0].startswith("datastream,thing,property,unit,time,result")
    assert len(lines) > MINUTES
    assert all(",river-01," in line for line in lines[1:])
    assert api.get("/api/export", format="parquet", thing="river-01").content[:4] == b"PAR1"
    assert api.get("/api/export", format="geojson", thing="nobody").json()["features"] == []
    for wrong in ("format=xlsx", "datastream=99999999999", "thing=%00", "from=yesterday"):
        assert api.client.get(f"/api/export?{wrong}").status_code == 422
    for body in (
        {},
        {"property": "\0", "level": "raw", "keep_days": 1},
        {"property": "", "level": "raw", "keep_days": 0},
    ):
        assert api.client.put("/api/retention", json=body).status_code == 422
    absent = {"property": "none", "level": "raw", "keep_days": 1}
    assert api.client.put("/api/retention", json=absent).status_code == 404


def test_a_series_for_a_plot_says_what_it_read(api: Api) -> None:
    id = api.get("/api/things/river-01").json()["streams"][0]["id"]
    raw = api.get(f"/api/datastreams/{id}/series", width=500).json()
    assert (raw["used"], raw["thinned"], raw["buckets"], raw["bucket_seconds"]) == ("raw", False, None, None)
    assert len(raw["items"]) == MINUTES
    hours = api.get(f"/api/datastreams/{id}/series", level="1h").json()
    assert (hours["used"], hours["bucket_seconds"], hours["items"]) == ("1h", 3600, [])
    assert sum(b["n"] for b in hours["buckets"]) == MINUTES
    results = [p["result"] for p in raw["items"]]
    assert max(b["max"] for b in hours["buckets"]) == max(results)
    assert min(b["min"] for b in hours["buckets"]) == min(results)
    assert hours["buckets"][0]["first"] == results[0]
    assert all(b["min"] <= b["mean"] <= b["max"] and 0 <= b["good"] <= 1 for b in hours["buckets"])
    assert api.client.get(f"/api/datastreams/{id}/series?level=1w").status_code == 422


def test_a_written_value_is_seen_at_once(fresh_api: Api, database: Database) -> None:
    id = fresh_api.get("/api/things/river-01").json()["streams"][0]["id"]
    before = fresh_api.eventually("/api/status", lambda a: a.json()["counts"]["exact"]).json()["counts"]["observations"]
    assert before == STREAMS * MINUTES
    with database.connect() as conn:
        store(conn, [id], [now()])
    # How soon is measured by `python -m bench.up`: under a second.
    fresh_api.eventually("/api/observations/newest", lambda a: a.json()[0]["datastream"] == id)
    fresh_api.eventually("/api/status", lambda a: a.json()["counts"]["observations"] == before + 1)


def test_status(api: Api, edition: str) -> None:
    status = api.get("/api/status").json()
    assert status["database"]["edition"] == {"timescaledb": "apache", "plain": "plain"}[edition]
    assert status["counts"]["things"] == len(THINGS)
    assert status["counts"]["pending"] == 1
    assert status["counts"]["datastreams"] == STREAMS
    assert status["counts"]["dead_letters"] == 2
    states = {p["name"]: p["state"] for p in status["processes"]}
    assert states == {"gateway": "ready", "worker": "degraded"}
    assert status["gateway"]["stored"] == 210
    rates = api.eventually("/api/status", lambda a: sum(a.json()["rate"]["per_second"]) == STREAMS * MINUTES).json()
    assert len(rates["rate"]["per_second"]) == 120
    assert rates["lag"] >= 0


def test_a_process_that_fell_silent_is_gone(fresh_api: Api, database: Database) -> None:
    with database.connect() as conn:
        conn.execute("UPDATE process SET seen = now() - interval '1 minute' WHERE name = 'gateway'")
    answer = fresh_api.eventually(
        "/api/status", lambda a: any(p["name"] == "gateway" and p["state"] == "gone" for p in a.json()["processes"])
    )
    assert answer.json()["gateway"] == {}


def test_overview_and_trends(api: Api) -> None:
    overview = api.get("/api/overview").json()
    summary = {p["property"]: p for p in overview["properties"]}
    assert summary["pm2_5"]["datastreams"] == summary["pm2_5"]["fresh"] == 3
    assert sum(summary["pm2_5"]["histogram"]) == 3
    assert {(p["thing"], p["state"]) for p in overview["places"]} == {(n, "live") for n in THINGS if THINGS[n][2]}
    id = api.get("/api/things/aq-01").json()["streams"][0]["id"]
    answer = api.client.get("/api/trends", params=[("id", str(id)), ("id", "2147483647")])
    trends = {t["datastream"]: t["results"] for t in answer.json()}
    series = api.get(f"/api/datastreams/{id}/series", limit=10_000).json()["items"]
    assert trends[id] == [p["result"] for p in series][-40:]
    assert trends[2147483647] == []
    hourly = api.client.get("/api/trends", params={"id": id, "hourly": True}).json()[0]["results"]
    assert len(hourly) == 24


def test_dead_letters_newest_first_and_their_bytes_as_text(api: Api) -> None:
    letters = walk(api, "/api/dead-letters", limit=1)
    assert [one["reason"] for one in letters] == ["utf8", "nan"]
    assert letters[0]["payload"] == "\ufffd\ufffd\x00"
    assert api.get("/api/dead-letters", reason="nan").json()["items"] == [letters[1]]
    assert api.get(f"/api/dead-letters/{letters[1]['id']}").json()["payload"] == '{"pm2_5":NaN}'


def test_accepting_and_refusing_is_idempotent(fresh_api: Api) -> None:
    waiting = fresh_api.get("/api/pending").json()["items"]
    assert [(p["name"], p["waiting"]) for p in waiting] == [("new-01", 1)]
    for _ in range(2):
        accepted = fresh_api.client.post("/api/pending/new-01/accept", headers={"Idempotency-Key": "abc"})
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["status"] == "active"
        # What was answered is committed.
        assert fresh_api.get("/api/things/new-01").json()["status"] == "active"
    assert fresh_api.get("/api/pending").json() == {"items": [], "next": None}
    for _ in range(2):
        assert fresh_api.client.post("/api/pending/new-01/refuse").json()["status"] == "refused"
    problem(fresh_api.client.post("/api/pending/nobody/accept"), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/nothing", 404, "not-found"),
        ("/api/things/nobody", 404, "not-found"),
        ("/api/things/nobody/latest", 404, "not-found"),
        ("/api/things/a%00b", 422, "invalid"),
        ("/api/things/" + "x" * 600, 422, "invalid"),
        ("/api/things?limit=0", 422, "invalid"),
        ("/api/things?limit=1001", 422, "invalid"),
        ("/api/things?limit=99999999999999999999999", 422, "invalid"),
        ("/api/things?status=odd", 422, "invalid"),
        ("/api/things?q=%00", 422, "invalid"),
        ("/api/things?cursor=!!", 400, "cursor"),
        ("/api/things?cursor=WzFd", 400, "cursor"),
        ("/api/things?cursor=WyJhXHUwMDAwIl0", 400, "cursor"),
        ("/api/latest?cursor=Wy0xXQ", 400, "cursor"),
        ("/api/latest?cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMF0", 400, "cursor"),
        ("/api/dead-letters?cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMF0", 400, "cursor"),
        ("/api/dead-letters/9223372036854775807", 404, "not-found"),
        ("/api/dead-letters/9223372036854775808", 422, "invalid"),
        ("/api/datastreams/2147483647/series", 404, "not-found"),
        ("/api/datastreams/2147483648/series", 422, "invalid"),
        ("/api/datastreams/0/series", 422, "invalid"),
        ("/api/datastreams/x/series", 422, "invalid"),
        ("/api/datastreams/1/series?from=2026-01-01", 422, "invalid"),
        ("/api/datastreams/1/series?from=2026-01-01T00:00:00", 422, "invalid"),
        ("/api/datastreams/1/series?from=2026-01-01T00:00:00+07:00", 422, "invalid"),
        ("/api/datastreams/1/series?from=2026-02-30T00:00:00Z", 422, "invalid"),
        ("/api/datastreams/1/series?from=0001-01-01T00:00:00Z", 422, "invalid"),
        ("/api/datastreams/1/series?from=9999-12-31T23:59:59-23:59", 422, "invalid"),
        ("/api/datastreams/1/series?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid"),
        ("/api/datastreams/1/series?cursor=WzFd", 400, "cursor"),
        ("/api/trends", 422, "invalid"),
        ("/api/trends?id=0", 422, "invalid"),
        ("/api/trends?" + "&".join(["id=1"] * 51), 422, "invalid"),
        ("/problems/nothing", 404, "not-found"),
        ("/static/../services/app.py", 404, "not-found"),
        ("/static/%2e%2e/app.py", 404, "not-found"),
    ],
)
def test_bad_requests_are_problems(one_api: Api, path: str, status: int, code: str) -> None:
    body = problem(one_api.client.get(path), status, code)
    if status == 422 and code == "invalid":
        assert body["detail"]


def test_the_plus_that_became_a_space_is_named(one_api: Api) -> None:
    answer = one_api.client.get("/api/datastreams/1/series?from=2026-01-01T00:00:00+07:00")
    assert "%2B" in answer.json()["detail"]
    assert one_api.client.get("/api/datastreams/1/series?from=2026-01-01T00:00:00%2B07:00").status_code == 200


def test_methods(one_api: Api) -> None:
    answer = one_api.client.delete("/api/things")
    problem(answer, 405, "method")
    assert "GET" in answer.headers["allow"]


def test_problems_are_explained_where_their_type_points(one_api: Api) -> None:
    kind = one_api.client.get("/api/nothing").json()["type"]
    assert one_api.get(kind).json()["status"] == 404
    assert {p["type"] for p in one_api.get("/problems").json()} >= {kind}


def test_probes_and_metrics(one_api: Api) -> None:
    assert one_api.get("/healthz").json() == {"status": "ok"}
    one_api.eventually("/readyz", lambda a: a.status_code == 200)
    one_api.get("/api/things/aq-01")
    text = one_api.get("/metrics").text
    assert 'tram_http_requests_total{method="GET",route="/api/things/{name:path}",status="200"}' in text
    assert "aq-01" not in text


def test_openapi_says_what_every_operation_does(one_api: Api) -> None:
    document = one_api.get("/api/openapi.json").json()
    named_by_module = [name for name in document["components"]["schemas"] if "__" in name]
    assert named_by_module == [], "two models of one name in one document are called by their modules"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
    moment = next(
        p for p in document["paths"]["/api/datastreams/{id}/series"]["get"]["parameters"] if p["name"] == "from"
    )
    assert datetime.fromisoformat(str(moment["schema"]["anyOf"][0]["examples"][0])).tzinfo
    assert psycopg.__version__ not in str(document)
