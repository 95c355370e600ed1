"""Whatever is asked or sent, the answer is one of 2xx and 4xx, problem+json when it is no success, never a 500."""

import random
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.sta.functions import FUNCTIONS
from services.sta.model import ENTITIES, SETS
from tests.databases import EDITIONS, Server
from tests.servers.api import Api, serve
from tests.services.filling import fill
from tests.sta.conftest import Sta

QUIET = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
PROPERTIES = sorted({name for entity in ENTITIES.values() for name in (*entity.properties, *entity.links)})
LITERALS = [
    "1", "-2.5", "'x'", "null", "true", "2026-01-01T00:00:00Z", "2026-01-01", "12:00", "duration'PT1H'", "1e300",
    "geography'POINT (1 2)'", "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z", "9999-12-31T23:59:59Z",
]  # fmt: skip
PATHS = ["id", "properties/a", "parameters/b/0", "Datastream/Thing/name", "Things/properties/x"]
ATOMS = st.one_of(st.sampled_from(LITERALS), st.sampled_from([*PROPERTIES, *PATHS]))


def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["eq", "ne", "gt", "ge", "lt", "le", "add", "sub", "mul", "div", "divby", "mod", "and", "or"]
    calls = [
        st.tuples(st.just(name), st.lists(inner, min_size=f.least, max_size=len(f.takes)))
        for name, f in FUNCTIONS.items()
    ]
    return st.one_of(
        st.tuples(inner, st.sampled_from(operators), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.one_of(calls).map(lambda t: f"{t[0]}({','.join(t[1])})"),
        inner.map(lambda t: f"not {t}"),
        inner.map(lambda t: f"-{t}"),
    )


EXPRESSIONS = st.recursive(ATOMS, wider, max_leaves=8)


def fits(answer: httpx.Response) -> None:
    assert answer.status_code < 500, f"{answer.request.method} {answer.request.url}: {answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.json()["detail"] or answer.json()["title"]


@QUIET
@given(st.sampled_from(list(SETS)), EXPRESSIONS, st.sampled_from(["filter", "orderby"]))
def test_expressions(one_sta: Sta, name: str, expression: str, option: str) -> None:
    fits(one_sta.ask(name, **{option: expression, "top": 3}))


SEGMENTS = st.sampled_from(
    [
        *SETS, *PROPERTIES, "Things(1)", "Datastreams(1)", "Observations('1.5')", "Locations(1)", "$ref", "$value",
        "$count", "Things('x')", "Things(99999999999999999999)", "Sensors(1)", "a%2Fb", "..", "%00", "%ff", "'",
        "FeaturesOfInterest(1)",
    ]
)  # fmt: skip
NAMES = ["$top", "$skip", "$select", "$expand", "$count", "$orderby", "$resultFormat", "$skiptoken", "x"]
VALUES = ["1", "0", "true", "name", "Things", "csv", "geojson", "dataArray", "id", "*"]
OPTIONS = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.sampled_from(VALUES), st.text(max_size=12)), max_size=3)
METHODS = st.sampled_from(["GET", "GET", "GET", "DELETE", "PUT", "PATCH", "POST"])


@QUIET
@given(st.lists(SEGMENTS, max_size=4), OPTIONS, METHODS)
def test_paths(one_sta: Sta, segments: list[str], options: dict[str, str], method: str) -> None:
    query = "&".join(f"{quote(n)}={quote(v, errors='replace')}" for n, v in options.items())
    path = "/".join(segments)
    if method == "DELETE" and "(" in path:
        method = "GET"
    fits(one_sta.client.request(method, f"/sta/v1.1/{path}?{query}", content=b"{}" if method != "GET" else None))


KEYS = st.text(string.ascii_letters, max_size=5)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def sent(draw: st.DrawFn, name: str, depth: int = 2) -> dict[str, Any]:
    entity = SETS[name]
    body: dict[str, Any] = {}
    for property, known in entity.properties.items():
        good: Any = {
            "text": "application/geo+json" if property == "encodingType" else "x", "json": {"a": 1}, "any": 1,
            "geo": {"type": "Point", "coordinates": [1, 2]}, "moment": "2026-01-01T00:00:00Z",
            "period": f"20{draw(st.integers(10, 99))}-01-01T00:00:00Z",
        }[known.kind]  # fmt: skip
        what = draw(st.sampled_from(["good"] * 8 + ["any", "none"]))
        if what != "none":
            body[property] = good if what == "good" else draw(JSON)
    if depth:
        for link, known in entity.links.items():
            choice = draw(st.sampled_from(["no", "no", "id", "deep", "any"]))
            target = ENTITIES[known.target].set_name
            found = {"@iot.id": draw(st.sampled_from([1, 2, "1", "x", 10**12]))}
            if choice == "deep":
                found = draw(sent(target, depth - 1))
            if choice != "no":
                body[link] = draw(JSON) if choice == "any" else [found] if known.many else found
    return body


@QUIET
@given(st.data(), st.sampled_from(list(SETS)))
def test_bodies(one_sta: Sta, data: st.DataObject, name: str) -> None:
    fits(one_sta.send("POST", name, data.draw(sent(name))))


@QUIET
@given(st.sampled_from(["Things(1)", "Datastreams(1)", "Locations(1)", "Things(1)/name", "Datastreams(1)/Sensor/$ref"]),
       st.sampled_from(["PATCH", "PUT", "POST"]), JSON,
       st.sampled_from(["application/json", "application/json-patch+json", "text/xml"]))  # fmt: skip
def test_changes(one_sta: Sta, path: str, method: str, body: object, kind: str) -> None:
    import json

    fits(one_sta.send(method, path, json.dumps(body).encode(), kind))


@QUIET
@given(JSON, st.binary(max_size=40))
def test_bulk_and_batch(one_sta: Sta, part: object, raw: bytes) -> None:
    for path in ("CreateObservations", "$batch"):
        fits(one_sta.send("POST", path, raw))
        fits(one_sta.send("POST", path, [part] if path != "$batch" else {"requests": [part]}))
    rows = {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray": [part, [part, part]]}
    fits(one_sta.send("POST", "CreateObservations", [rows]))
    inside = {"id": "1", "method": random.choice(["get", "post", "patch"]), "url": str(part), "body": part}
    answer = one_sta.send("POST", "$batch", {"requests": [inside]})
    fits(answer)
    for one in answer.json().get("responses", []):
        assert one["status"] < 500


def test_a_body_that_is_too_large(one_sta: Sta) -> None:
    answer = one_sta.send("POST", "Things", b'{"name":"' + b"x" * 17_000_000 + b'"}')
    assert answer.status_code == 413


@pytest.fixture(scope="module")
def expendable(server: Server) -> Iterator[Api]:
    """A server whose data may all be deleted."""
    with server.database(next(e for e in EDITIONS if not server.missing(e))) as made:
        with made.connect() as conn:
            fill(conn)
        with serve(made.settings) as api:
            yield api


def test_the_routes_as_openapi_describes_them(expendable: Api) -> None:
    """Schemathesis, by somebody who may do everything: paths that lead somewhere, every option, bodies."""
    document = expendable.get("/api/openapi.json").json()
    operations = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    described = [one for one in operations if one.path.startswith("/sta/")]
    assert {(one.method, one.path) for one in described} == {
        ("get", "/sta/v1.1"), ("post", "/sta/v1.1/$batch"),
        *((method, "/sta/v1.1/{path}") for method in ("get", "post", "patch", "put", "delete")),
    }  # fmt: skip
    found: dict[str, set[int]] = {}
    for operation in sorted(described, key=lambda one: one.method == "delete"):

        @settings(QUIET, max_examples=60, phases=[Phase.generate])
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            sent = case.as_transport_kwargs(base_url=expendable.url)
            kept = {k: v for k, v in sent["headers"].items() if k.lower() == "content-type"}
            some = {name: sent.get(name) for name in ("params", "json", "data") if sent.get(name) is not None}
            try:
                answer = expendable.client.request(sent["method"], sent["url"], headers=kept, **some)
            except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, TypeError):
                return  # a request that cannot be put on the wire
            fits(answer)
            found.setdefault(sent["method"].lower(), set()).add(answer.status_code)

        ask()
    assert {200, 404} <= found["get"]
    assert found["post"] & {200, 201}
    assert set(found) == {"get", "post", "patch", "put", "delete"}
