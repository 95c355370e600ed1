"""$filter on real databases: every function of the standard, JSON by its types, null as in OData, hostile ones."""

import time
from dataclasses import replace
from typing import Any

import pytest

from services.sta.calls import CALLS
from services.sta.functions import FUNCTIONS
from tests.servers.api import serve
from tests.sta.conftest import Sta
from tests.sta.test_writing import datastream, deep, location, thing

DEEP = "Datastreams($expand=Thing($expand=" * 9 + "Locations" + "))" * 9
ROWS = [
    ("2026-03-01T00:00:00Z", 1, {"site": "a", "depth": 3, "on": True}),
    ("2026-03-01T06:30:15.25Z", 2.5, {"site": "50%_x", "depth": "3", "on": False}),
    ("2026-03-02T12:00:00Z", -3.7, {"site": "A'b", "depth": None}),
    ("2026-03-03T23:59:59.999999Z", "mở", {"when": "2026-01-01T00:00:00+07:00"}),
    ("2026-12-31T00:00:00+07:00", True, {}),
]


@pytest.fixture(scope="module")
def _made() -> dict[str, int]:
    return {}


@pytest.fixture
def stream(sta: Sta, _made: dict[str, int]) -> int:
    """A Datastream with ROWS."""
    if sta.url not in _made:
        rows = [{"phenomenonTime": t, "result": r, "parameters": p} for t, r, p in ROWS]
        made = sta.make("Things", thing(name="lọc", Datastreams=[datastream(Observations=rows)]))
        _made[sta.url] = sta.get(f"Things({made['@iot.id']})/Datastreams")["value"][0]["@iot.id"]
    return _made[sta.url]


CASES: list[tuple[str, str]] = [
    ("result gt 1", "1"),
    ("result ge 1", "01"),
    ("result eq 'mở'", "3"),
    ("result eq true", "4"),
    ("result ne 1", "1234"),
    ("not (result gt 1)", "0234"),
    ("result add 1 eq 2", "0"),
    ("result sub 0.5 eq 2", "1"),
    ("result mul 2 eq 5", "1"),
    ("result div 0 eq 1", ""),
    ("result divby 2 eq 1.25", "1"),
    ("result mod 2 eq 0.5", "1"),
    ("5 div 2 eq 2", "01234"),
    ("-result eq 3.7", "2"),
    ("round(result) eq -4", "2"),
    ("floor(result) eq 2", "1"),
    ("ceiling(result) eq 3", "1"),
    ("result in (1, 2.5, 'mở')", "013"),
    ("parameters/depth eq 3", "0"),
    ("parameters/depth eq '3'", "1"),
    ("parameters/depth eq null", "234"),
    ("parameters/depth ne null", "01"),
    ("parameters/depth gt 2", "0"),
    ("parameters/on eq true", "0"),
    ("parameters/on", "0"),
    ("not parameters/on", "1"),
    ("parameters/on ne true", "1234"),
    ("contains(parameters/site,'%_')", "1"),
    ("substringof('%',parameters/site)", "1"),
    ("startswith(parameters/site,'50%')", "1"),
    ("startswith(parameters/site,'%')", ""),
    ("endswith(parameters/site,'_x')", "1"),
    ("endswith(parameters/site,'')", "012"),
    ("parameters/site eq 'A''b'", "2"),
    ("length(parameters/site) eq 3", "2"),
    ("indexof(parameters/site,'%') eq 2", "1"),
    ("substring(parameters/site,1) eq '0%_x'", "1"),
    ("substring(parameters/site,1,2) eq '0%'", "1"),
    ("substring(parameters/site,-5,99) eq 'a'", "0"),
    ("tolower(parameters/site) eq 'a''b'", "2"),
    ("toupper(parameters/site) eq 'A'", "0"),
    ("trim(concat(parameters/site,'  ')) eq 'a'", "0"),
    ("parameters/when lt 2026-01-01T00:00:00Z", "3"),
    ("year(phenomenonTime) eq 2026", "01234"),
    ("month(phenomenonTime) eq 12", "4"),
    ("day(phenomenonTime) eq 30", "4"),
    ("hour(phenomenonTime) eq 6", "1"),
    ("minute(phenomenonTime) eq 30", "1"),
    ("second(phenomenonTime) eq 15", "1"),
    ("fractionalseconds(phenomenonTime) eq 0.25", "1"),
    ("date(phenomenonTime) eq 2026-03-02", "2"),
    ("time(phenomenonTime) eq 12:00:00", "2"),
    ("totaloffsetminutes(phenomenonTime) eq 0", "01234"),
    ("phenomenonTime lt now() and phenomenonTime gt mindatetime() and phenomenonTime lt maxdatetime()", "0123"),
    ("phenomenonTime eq 2026-03-01T13:30:15.250+07:00", "1"),
    ("phenomenonTime eq '2026-03-02T12:00:00Z'", "2"),
    ("phenomenonTime gt 2026-03-02", "234"),
    ("phenomenonTime ge 2026-03-01T00:00:00Z/2026-03-02T00:00:00Z and phenomenonTime lt 2026-03-02T00:00:00Z", "01"),
    ("phenomenonTime add duration'P1D' gt 2026-03-04T00:00:00Z", "34"),
    ("phenomenonTime sub 2026-03-01T00:00:00Z lt duration'PT7H'", "01"),
    ("resultTime eq null", "01234"),
    ("resultTime gt 2026-01-01T00:00:00Z", ""),
    ("not (resultTime gt 2026-01-01T00:00:00Z)", "01234"),
    ("Datastream/Thing/name eq 'lọc'", "01234"),
    ("Datastream/ObservedProperty/name ne 'Temperature'", ""),
    ("startswith(Datastream/name,'nhiệt')", "01234"),
    ("result eq 1 or result eq 2.5 and false", "0"),
    ("(result eq 1 or result eq 2.5) and true", "01"),
]


def moments(found: list[dict[str, Any]]) -> str:
    order = ["2026-03-01T00", "2026-03-01T06", "2026-03-02T12", "2026-03-03T23", "2026-12-30T17"]
    return "".join(sorted(str(order.index(one["phenomenonTime"][:13])) for one in found))


@pytest.mark.parametrize(("filter", "rows"), CASES)
def test_filters(sta: Sta, stream: int, filter: str, rows: str) -> None:
    if "now()" in filter:
        rows = "0123" if time.gmtime().tm_year == 2026 else rows
    assert moments(sta.get(f"Datastreams({stream})/Observations", filter=filter)["value"]) == rows


def test_every_function_has_its_sql_and_its_case() -> None:
    plain = {name for name, function in FUNCTIONS.items() if "geo" not in function.takes}
    assert set(CALLS) == plain
    assert all(any(f"{name}(" in case for case, _ in CASES) for name in plain)
    spatial = set(FUNCTIONS) - plain
    assert all(any(f"{name}(" in case for case, _ in PLACES) for name in spatial)


PLACES: list[tuple[str, bool]] = [
    ("geo.distance(location, geography'POINT (105 20)') lt 0.001", True),
    ("geo.distance(location, geography'POINT (105 21)') lt 0.5", False),
    ("geo.length(geography'LINESTRING (0 0, 0 2)') eq 2", True),
    ("geo.intersects(location, geography'POLYGON ((104 19, 106 19, 106 20.5, 104 20.5, 104 19))')", True),
    ("st_equals(location, geography'POINT (105 20)')", True),
    ("st_disjoint(location, geography'POINT (105 20)')", False),
    ("st_touches(location, geography'LINESTRING (105 20, 106 21)')", True),
    ("st_within(location, geography'POLYGON ((104 19, 106 19, 106 20.5, 104 20.5, 104 19))')", True),
    ("st_overlaps(location, geography'POINT (105 20)')", False),
    ("st_crosses(location, geography'LINESTRING (105 20, 106 21)')", False),
    ("st_intersects(geography'POINT (105 20)', location)", True),
    ("st_contains(location, geography'POINT (105 20)')", True),
    ("st_relate(location, geography'POINT (105 20)', 'T********')", True),
]


def test_places(sta: Sta) -> None:
    spot = {"type": "Point", "coordinates": [105, 20]}
    sta.make("Things", thing(name="nơi", Locations=[location(name="nơi", location=spot)]))
    for filter, there in PLACES:
        names = sta.names("Locations", filter=f"name eq 'nơi' and {filter}")
        assert names == (["nơi"] if there else []), filter
    assert sta.names("Things", filter="st_equals(Locations/location, geography'POINT (105 20)')") == ["nơi"]
    assert sta.names("Locations", orderby="geo.distance(location, geography'POINT (105 20)')", top=1) == ["nơi"]


def test_what_holds_for_any_of_many(sta: Sta, stream: int) -> None:
    assert sta.names("Things", filter="Datastreams/Observations/result eq 'mở'") == ["lọc"]
    assert "lọc" not in sta.names("Things", filter="Datastreams/ObservedProperty/name eq 'pm2_5'")
    assert len(sta.names("Things", filter="Datastreams/ObservedProperty/name eq 'pm2_5'")) == 3
    assert sta.names("Things", filter="Datastreams/id eq " + str(stream)) == ["lọc"]


@pytest.mark.parametrize(
    "filter",
    [
        "name eq 'x'; DROP TABLE thing", "name eq 'x' -- ", "'1' eq 1", "name gt 5", "nam eq 1", "name/x eq 1",
        "Datastreams eq 1", "year(name) eq 1", "name", "name add 1 eq 2", "id eq 'abc'",
        "properties/" + "c/" * 400 + "d eq 1",
        "st_within(name, geography'POINT (1 1)')", "st_relate(Locations/location, geography'POINT (1 1)', 'x')",
        "(" * 60 + "true" + ")" * 60, "name eq '" + "x" * 20_000 + "'", "name eq 'a", "a in ()", "%s eq %(x)s",
        "Datastreams/Thing/Datastreams/Thing/Datastreams/Thing/Datastreams/Thing/Datastreams/Thing/name eq 'x'",
        " or ".join(["geo.intersects(Locations/location, geography'POINT (1 1)')"] * 9),
        "properties/x mul 1e300 mul 1e300 eq geo.length(geography'POINT (1 1)')", "'\x00' eq 'a'",
    ],
)  # fmt: skip
def test_hostile_filters(one_sta: Sta, filter: str) -> None:
    started = time.monotonic()
    answer = one_sta.ask("Things", filter=filter)
    assert answer.status_code == 400 or (answer.status_code == 200 and "mul 1e300" in filter), answer.text
    if answer.status_code == 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "character" in answer.json()["detail"] or "%" in filter
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Things?$top=-1", "whole number"),
        ("Things?$expand=Nothing", "has no 'Nothing'"),
        ("Things?$select=nope", "has no"),
        ("Things?$orderby=Datastreams/name", "which is many"),
        ("Things?$foo=1", "no query option"),
        ("Things?$skiptoken=xx", "$skiptoken"),
        (f"Things?$expand={DEEP}", "within each other"),
        ("Things?$resultFormat=dataArray", "is for Observations"),
        ("Observations?$filter=result mul 1e308 mul 1e308 gt 1", "out of range"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(one_sta: Sta, path: str, said: str) -> None:
    answer = one_sta.client.get(f"/sta/v1.1/{path}")
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]


def test_what_would_take_long_is_refused_and_a_long_export_is_not(one_sta: Sta) -> None:
    rows = [[f"2025-02-{day:02d}T{hour:02d}:{minute:02d}:00Z", minute] for day in range(1, 11) for hour in range(24)
            for minute in range(60)]  # fmt: skip
    _, stream = deep(one_sta, 0)
    body = [{"Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"], "dataArray": rows}]
    assert one_sta.send("POST", "CreateObservations", body).status_code == 201
    costly = " or ".join(f"length(concat(tolower(result),'{n}')) eq 99{n}" for n in range(40))
    settings = replace(one_sta.settings, sta_filter_seconds=0.02)
    with serve(settings) as api:
        path = f"{api.url}/sta/v1.1/Datastreams({stream})/Observations"
        for more in ({}, {"$resultFormat": "CSV"}, {"$resultFormat": "dataArray"}, {"$count": "true", "$top": "0"}):
            answer = api.client.get(path, params={"$filter": costly, **more})
            assert answer.status_code == 400, (more, answer.text[:300])
            assert answer.headers["content-type"] == "application/problem+json"
            assert "too long" in answer.json()["detail"]
        whole = api.client.get(path, params={"$resultFormat": "CSV"})
        assert len(whole.text.splitlines()) == 1 + len(rows)
        batch = {"requests": [
            {"id": "1", "method": "get", "url": f"Datastreams({stream})/Observations?$filter={costly}"},
            {"id": "2", "method": "get", "url": "Things?$top=1"},
        ]}  # fmt: skip
        posted = api.client.post("/sta/v1.1/$batch", json=batch)
        assert [one["status"] for one in posted.json()["responses"]] == [400, 200]


def test_a_plus_that_was_not_escaped(one_sta: Sta) -> None:
    path = "/sta/v1.1/Observations?$filter=phenomenonTime+gt+2020-01-01T00:00:00+07:00&$top=1"
    assert len(one_sta.client.get(path).json()["value"]) == 1
