"""Create, deep insert, change, delete with cascades, links, bulk and batch (OGC 18-088 clauses 10 to 12)."""

import uuid
from typing import Any

import pytest

from tests.sta.conftest import Sta

POINT = {"type": "Point", "coordinates": [105.8, 21.6]}
FEATURE = {"name": "f", "description": "d", "encodingType": "application/geo+json", "feature": POINT}
PLACE = b'{"name":"x","description":"","encodingType":"application/geo+json","location":'


def thing(**more: Any) -> dict[str, Any]:
    return {"name": f"t-{uuid.uuid4().hex[:8]}", "description": "một trạm", "properties": {"floor": 3}} | more


def location(**more: Any) -> dict[str, Any]:
    return {"name": "đây", "description": "ở đây", "encodingType": "application/geo+json", "location": POINT} | more


def datastream(**more: Any) -> dict[str, Any]:
    return {
        "name": "nhiệt độ", "description": "nhiệt độ không khí",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": {"name": "Celsius", "symbol": "°C", "definition": "ucum:Cel"},
        "Sensor": {"name": "s", "description": "d", "encodingType": "text/html", "metadata": {"a": [1, 2.50]}},
        "ObservedProperty": {"name": "Temperature", "description": "d", "definition": "http://x/t"},
    } | more  # fmt: skip


def at(n: int) -> str:
    return f"2026-03-01T{n // 60:02d}:{n % 60:02d}:00.123456Z"


def deep(sta: Sta, n: int = 3) -> tuple[int, int]:
    """A Thing with a Location and a Datastream with n Observations; (Thing, Datastream)."""
    rows = [{"phenomenonTime": at(i), "result": i} for i in range(n)]
    made = sta.make("Things", thing(Locations=[location()], Datastreams=[datastream(Observations=rows)]))
    stream = sta.get(f"Things({made['@iot.id']})/Datastreams")["value"][0]["@iot.id"]
    return made["@iot.id"], stream


def test_deep_insert_and_what_came_of_it(sta: Sta) -> None:
    id, _ = deep(sta)
    found = sta.get(
        f"Things({id})",
        expand="Locations,HistoricalLocations($expand=Locations),Datastreams($expand=Sensor,ObservedProperty,Observations)",
    )
    assert found["properties"] == {"floor": 3}
    assert found["Locations"][0]["location"] == POINT
    assert found["HistoricalLocations"][0]["Locations"][0]["name"] == "đây"
    inside = found["Datastreams"][0]
    assert inside["unitOfMeasurement"] == {"name": "Celsius", "symbol": "°C", "definition": "ucum:Cel"}
    assert inside["Sensor"]["metadata"] == {"a": [1, 2.50]}
    assert inside["ObservedProperty"]["name"] == "Temperature"
    assert [one["result"] for one in inside["Observations"]] == [0, 1, 2]
    assert inside["phenomenonTime"] == f"{at(0)}/{at(2)}"
    listed = sta.client.get("/api/things", params={"q": found["name"]}).json()["items"]
    assert [one["location"] for one in listed] == [POINT]


def test_deep_insert_is_all_or_nothing(sta: Sta) -> None:
    body = thing(Datastreams=[datastream(), datastream(ObservedProperty={"@iot.id": 999_999})])
    assert sta.send("POST", "Things", body).status_code == 400
    assert sta.names("Things", filter=f"name eq '{body['name']}'") == []


@pytest.mark.parametrize(
    "sent",
    ["5", "5.25", "-0.1", "9007199254740993", "123456789012345678901234567890", "0.12345678901234567", "true", '"đóng"',
     '{"a": [1, null, 2.50]}', "1e-300", "null"],
)  # fmt: skip
def test_values_come_back_as_they_were_sent(sta: Sta, sent: str) -> None:
    import json
    from decimal import Decimal

    _, stream = deep(sta, 0)
    body = f'{{"phenomenonTime":"{at(0)}","result":{sent},"parameters":{{"n":9007199254740993}}}}'.encode()
    answer = sta.send("POST", f"Datastreams({stream})/Observations", body)
    assert answer.status_code == 201, answer.text
    back = sta.client.get(answer.headers["location"])
    numbers = {"parse_float": Decimal, "parse_int": Decimal}
    found = json.loads(back.text, **numbers)
    assert found["result"] == json.loads(sent, **numbers)
    assert found["parameters"] == {"n": Decimal(9007199254740993)}


def test_times_intervals_and_the_rest_of_an_observation(sta: Sta) -> None:
    _, stream = deep(sta, 0)
    feature = sta.make("FeaturesOfInterest", FEATURE)
    made = sta.make("Observations", {
        "phenomenonTime": "2026-03-01T07:00:00.5+07:00/2026-03-01T08:00:00+07:00", "result": 1,
        "resultTime": "2026-03-01T01:00:01Z", "validTime": "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z",
        "resultQuality": {"code": "ok"}, "parameters": {"p": 1},
        "Datastream": {"@iot.id": stream}, "FeatureOfInterest": {"@iot.id": feature["@iot.id"]},
    })  # fmt: skip
    assert made["phenomenonTime"] == "2026-03-01T00:00:00.5Z/2026-03-01T01:00:00Z"
    assert made["validTime"] == "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z"
    assert made["resultTime"] == "2026-03-01T01:00:01Z"
    assert made["resultQuality"] == {"code": "ok"}
    assert sta.get(f"FeaturesOfInterest({feature['@iot.id']})/Observations")["value"] == [made]
    inside = {"filter": "phenomenonTime gt 2026-02-28T23:59:59Z and phenomenonTime lt 2026-03-01T02:00:00Z"}
    assert len(sta.get(f"Datastreams({stream})/Observations", **inside)["value"]) == 1
    half = {"filter": "phenomenonTime lt 2026-03-01T00:30:00Z"}
    assert sta.get(f"Datastreams({stream})/Observations", **half)["value"] == []


def test_the_same_time_twice_is_a_conflict(sta: Sta) -> None:
    _, stream = deep(sta, 1)
    answer = sta.send("POST", f"Datastreams({stream})/Observations", {"phenomenonTime": at(0), "result": 9})
    assert answer.status_code == 409
    assert "PATCH it" in answer.json()["detail"]
    assert [one["result"] for one in sta.get(f"Datastreams({stream})/Observations")["value"]] == [0]


def test_patch_put_and_json_patch(sta: Sta) -> None:
    id, stream = deep(sta, 1)
    sta.send("PATCH", f"Things({id})", {"description": "khác"})
    assert sta.get(f"Things({id})")["description"] == "khác"
    assert sta.get(f"Things({id})")["properties"] == {"floor": 3}
    patch = [{"op": "add", "path": "/properties/roof", "value": True}, {"op": "remove", "path": "/properties/floor"}]
    assert sta.send("PATCH", f"Things({id})", patch, "application/json-patch+json").status_code == 200
    assert sta.get(f"Things({id})")["properties"] == {"roof": True}
    assert sta.send("PUT", f"Things({id})", {"name": "n", "description": "d"}).status_code == 200
    assert "properties" not in sta.get(f"Things({id})")
    assert sta.send("PUT", f"Things({id})", {"name": "n"}).status_code == 400
    assert sta.send("PATCH", f"Things({id})/name", {"name": "mới"}).status_code == 200
    assert sta.get(f"Things({id})/name") == {"name": "mới"}
    one = sta.get(f"Datastreams({stream})/Observations")["value"][0]
    path = f"Observations('{one['@iot.id']}')"
    assert sta.send("PATCH", path, {"result": 7.5, "resultTime": at(5)}).json()["result"] == 7.5
    assert sta.send("PATCH", path, {"phenomenonTime": at(9)}).status_code == 200
    moved = sta.get(path)
    assert (moved["@iot.id"], moved["phenomenonTime"], moved["result"]) == (one["@iot.id"], at(9), 7.5)
    assert moved["resultTime"] == at(5)
    assert len(sta.get(f"Datastreams({stream})/Observations")["value"]) == 1


def test_a_thing_that_moves_has_a_history(sta: Sta) -> None:
    id, _ = deep(sta, 0)
    there = sta.make(f"Things({id})/Locations", location(location={"type": "Point", "coordinates": [105.9, 21.7]}))
    assert [one["@iot.id"] for one in sta.get(f"Things({id})/Locations")["value"]] == [there["@iot.id"]]
    assert len(sta.get(f"Things({id})/HistoricalLocations")["value"]) == 2
    sta.send("PATCH", f"Locations({there['@iot.id']})", {"location": {"type": "Point", "coordinates": [106, 22]}})
    found = sta.get(f"Things({id})", select="name")
    (listed,) = sta.client.get("/api/things", params={"q": found["name"]}).json()["items"]
    assert listed["location"]["coordinates"] == [106, 22]


def test_links(sta: Sta) -> None:
    id, stream = deep(sta, 0)
    place = sta.make("Locations", location())["@iot.id"]
    answer = sta.send("POST", f"Things({id})/Locations/$ref", {"@iot.id": place})
    assert answer.status_code == 204, answer.text
    assert [one["@iot.id"] for one in sta.get(f"Things({id})/Locations")["value"]] == [place]
    assert sta.send("DELETE", f"Things({id})/Locations({place})/$ref").status_code == 204
    assert sta.get(f"Things({id})/Locations")["value"] == []
    sensor = sta.make("Sensors", {"name": "x", "description": "d", "encodingType": "text/html", "metadata": "m"})
    put = sta.send("PUT", f"Datastreams({stream})/Sensor/$ref", {"@iot.id": sensor["@iot.selfLink"]})
    assert put.status_code == 204, put.text
    assert sta.get(f"Datastreams({stream})/Sensor")["name"] == "x"


@pytest.mark.parametrize("kind", ["Things", "Sensors", "ObservedProperties", "Datastreams"])
def test_deleting_takes_along_what_depends_on_it(sta: Sta, kind: str) -> None:
    id, stream = deep(sta)
    link = {"Things": "Thing", "Sensors": "Sensor", "ObservedProperties": "ObservedProperty"}.get(kind)
    target = sta.get(f"Datastreams({stream})/{link}")["@iot.id"] if link else stream
    one = sta.get(f"Datastreams({stream})/Observations")["value"][0]["@iot.id"]
    assert sta.send("DELETE", f"{kind}({target})").status_code == 200
    assert sta.ask(f"{kind}({target})").status_code == 404
    assert sta.ask(f"Datastreams({stream})").status_code == 404
    assert sta.ask(f"Observations('{one}')").status_code == 404
    assert sta.ask(f"Things({id})").status_code == (404 if kind == "Things" else 200)


def test_deleting_locations_and_features(sta: Sta) -> None:
    id, stream = deep(sta, 1)
    place = sta.get(f"Things({id})/Locations")["value"][0]["@iot.id"]
    assert sta.send("DELETE", f"Locations({place})").status_code == 200
    assert sta.get(f"Things({id})/HistoricalLocations")["value"] == []
    feature = sta.make("FeaturesOfInterest", FEATURE)["@iot.id"]
    body = {"phenomenonTime": at(4), "result": 1, "FeatureOfInterest": {"@iot.id": feature}}
    sta.make(f"Datastreams({stream})/Observations", body)
    assert sta.send("DELETE", f"FeaturesOfInterest({feature})").status_code == 200
    assert len(sta.get(f"Datastreams({stream})/Observations")["value"]) == 1


def test_create_observations(sta: Sta) -> None:
    _, a = deep(sta, 1)
    _, b = deep(sta, 0)
    body = [
        {"Datastream": {"@iot.id": a}, "components": ["phenomenonTime", "result"], "dataArray@iot.count": 2,
         "dataArray": [[at(0), 1], [at(1), 2.5]]},
        {"Datastream": {"@iot.id": b}, "components": ["phenomenonTime", "result", "parameters", "FeatureOfInterest/id"],
         "dataArray": [[at(0), "x", {"k": 1}, 999_999], [at(1), True, None, 1], ["nonsense", 1, {}, 1]]},
    ]  # fmt: skip
    answer = sta.send("POST", "CreateObservations", body)
    assert answer.status_code == 201, answer.text
    links = answer.json()
    assert [link.startswith("error") for link in links] == [True, False, True, False, True]
    assert sta.client.get(links[1]).json()["result"] == 2.5
    assert sta.client.get(links[3]).json()["result"] is True
    plain = [{"Datastream": {"@iot.id": a}, "components": ["phenomenonTime", "result"],
              "dataArray": [[at(n), n] for n in range(3, 300)]}]  # fmt: skip
    assert len(set(sta.send("POST", "CreateObservations", plain).json())) == 297
    assert sta.ask(f"Datastreams({a})/Observations/$count").text == "299"
    again = sta.send("POST", "CreateObservations", plain).json()
    assert all(link.startswith("error") for link in again)


def test_a_batch_in_order_with_a_group_that_fails_as_one(sta: Sta) -> None:
    body = {"requests": [
        {"id": "0", "atomicityGroup": "g", "method": "post", "url": "Things", "body": thing()},
        {"id": "1", "atomicityGroup": "g", "method": "post", "url": "$0/Datastreams", "body": datastream()},
        {"id": "2", "method": "get", "url": "/sta/v1.1/Things?$top=1&$select=name"},
        {"id": "3", "atomicityGroup": "h", "method": "post", "url": "Things", "body": thing(name="nie da")},
        {"id": "4", "atomicityGroup": "h", "method": "post", "url": "Things", "body": {"name": 5}},
        {"id": "5", "method": "delete", "url": "Things(999999)"},
    ]}  # fmt: skip
    answer = sta.send("POST", "$batch", body)
    assert answer.status_code == 200, answer.text
    results = answer.json()["responses"]
    assert [one["status"] for one in results] == [201, 201, 200, 424, 400, 404]
    assert results[1]["headers"]["location"].startswith(sta.url)
    assert len(results[2]["body"]["value"]) == 1
    assert sta.names("Things", filter="name eq 'nie da'") == []


def test_requests_of_a_batch_refer_to_what_others_before_them_made(sta: Sta) -> None:
    note = 'says "@iot.id": "$thing"'
    body = {"requests": [
        {"id": "thing", "method": "post", "url": "Things", "body": thing(properties={"note": note})},
        {"id": "s", "atomicityGroup": "g", "method": "post", "url": "Datastreams",
         "body": datastream(Thing={"@iot.id": "$thing"})},
        {"id": "o", "atomicityGroup": "g", "method": "post", "url": "Datastreams($s)/Observations",
         "body": {"result": 1, "phenomenonTime": at(1)}},
        {"id": "p", "method": "patch", "url": "$o", "body": {"result": 2}},
        {"id": "q", "method": "get", "url": "Observations?$filter=Datastream/id eq $s"},
        {"id": "r", "method": "get", "url": "Observations($o)/Datastream/Thing?$select=id,properties"},
        {"id": "bad", "method": "post", "url": "Things", "body": {"name": 5}},
        {"id": "after", "method": "post", "url": "$bad/Datastreams", "body": datastream()},
        {"id": "inside", "method": "post", "url": "Datastreams", "body": datastream(Thing={"@iot.id": "$bad"})},
        {"id": "unknown", "method": "post", "url": "Datastreams", "body": datastream(Thing={"@iot.id": "$never"})},
    ]}  # fmt: skip
    results = sta.send("POST", "$batch", body).json()["responses"]
    assert [one["status"] for one in results] == [201, 201, 201, 200, 200, 200, 400, 424, 424, 400], results
    assert [one["result"] for one in results[4]["body"]["value"]] == [2]
    assert results[5]["body"]["properties"] == {"note": note}
    assert results[5]["body"]["@iot.id"] == results[0]["body"]["@iot.id"]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("Things", b"{", "no JSON"),
        ("Things", b'{"name":NaN}', "no JSON"),
        ("Things", b'{"name":"x"}', "needs description"),
        ("Things", b'{"name":5,"description":"d"}', "is a text"),
        ("Things", b'{"name":"x","description":"d","colour":1}', "has no 'colour'"),
        ("Things", b'{"name":"\\u0000","description":"d"}', "NUL"),
        ("Things", b'{"name":"x","description":"d","properties":[]}', "is an object"),
        ("Things", b"[" * 5000, "no JSON"),
        ("Things", b'{"name":"x","description":"d","properties":' + b'{"a":' * 99 + b"1" + b"}" * 100,
         "nested deeper"),
        ("Locations", PLACE + b'{"type":"Point","coordinates":[200,1]}}', "no place on Earth"),
        ("Locations", PLACE + b'{"type":"Polygon","coordinates":[[[1,1],[2,2],[1,1]]]}}', "four positions"),
        ("Locations", PLACE + b'"here"}', "GeoJSON object"),
        ("Observations", b'{"result":1}', "needs its Datastream"),
        ("Observations", b'{"result":1e999}', "no JSON"),
        ("Observations", b'{"result":1,"phenomenonTime":"yesterday"}', "a time with its offset"),
        ("Observations", b'{"result":1,"phenomenonTime":"2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"}', "ends before"),
        ("CreateObservations", b"{}", "a list of Datastream"),
        ("$batch", b'{"requests":5}', "a batch is"),
    ],
)  # fmt: skip
def test_bodies_that_do_not_fit(one_sta: Sta, path: str, body: bytes, said: str) -> None:
    answer = one_sta.send("POST", path, body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_writing_needs_rights(one_sta: Sta) -> None:
    import httpx

    with httpx.Client(base_url=one_sta.url) as nobody:
        assert nobody.post("/Things", json=thing()).status_code == 401
        assert nobody.get("/Things").json()["value"] == []
        inside = {"requests": [{"id": "1", "method": "post", "url": "Things", "body": thing()}]}
        assert nobody.post("/$batch", json=inside).json()["responses"][0]["status"] == 403
