"""Reading what a gateway has stored, by every way of asking (OGC 18-088 clause 9)."""

from dataclasses import replace

import pytest

from services.sta.model import SETS
from services.sta.root import CONFORMANCE, CREATES, RECEIVES
from tests.servers.api import serve
from tests.sta.conftest import Sta


def test_the_service_root(quiet: Sta) -> None:
    root = quiet.get("")
    assert {one["name"] for one in root["value"]} == set(SETS)
    assert root["serverSettings"]["conformance"] == list(CONFORMANCE)  # no broker is set there
    assert not [name for name in root["serverSettings"] if "mqtt" in name]
    for one in root["value"]:
        assert quiet.client.get(one["url"]).status_code == 200


@pytest.mark.parametrize(("mode", "also"), [("on", [CREATES]), ("logged", [CREATES, RECEIVES]), ("off", [])])
def test_the_service_root_says_what_the_broker_makes_possible(one_sta: Sta, mode: str, also: list[str]) -> None:
    with serve(replace(one_sta.settings, mqtt_url="mqtt://broker:1883", sta_mqtt=mode)) as api:
        said = api.get("/sta/v1.1").json()["serverSettings"]
    assert said["conformance"] == [*CONFORMANCE, *also]
    assert {name: said[name] for name in also} == {name: {"endpoints": ["mqtt://broker:1883"]} for name in also}


@pytest.mark.parametrize("name", list(SETS))
def test_every_entity_has_its_properties_and_links(quiet: Sta, name: str) -> None:
    entity = SETS[name]
    for one in quiet.get(name)["value"]:
        assert quiet.client.get(one["@iot.selfLink"]).json() == one
        for property, known in entity.properties.items():
            if known.required:
                assert property in one
        for link in entity.links:
            answer = quiet.client.get(one[f"{link}@iot.navigationLink"])
            assert answer.status_code == 200 or (link == "FeatureOfInterest" and answer.status_code == 404), answer.text


def test_a_gateways_data_in_the_words_of_sensorthings(quiet: Sta) -> None:
    (thing,) = quiet.get("Things", filter="description eq 'aq-01'")["value"]
    assert thing["name"] == "Trạm khí Quang Sơn"
    stream = quiet.get(f"Things({thing['@iot.id']})/Datastreams", filter="ObservedProperty/name eq 'pm2_5'")["value"][0]
    assert stream["unitOfMeasurement"]["symbol"] == "ug/m3"
    assert stream["phenomenonTime"].count("/") == 1
    (place,) = quiet.get(f"Things({thing['@iot.id']})/Locations")["value"]
    assert place["location"] == {"type": "Point", "coordinates": [105.86, 21.68]}
    assert len(quiet.get(f"Things({thing['@iot.id']})/HistoricalLocations")["value"]) == 1
    one = quiet.get(f"Datastreams({stream['@iot.id']})/Observations", top=1, orderby="phenomenonTime desc")["value"][0]
    assert one["phenomenonTime"].endswith("Z")
    assert one["resultTime"] is None
    assert quiet.get(f"Observations('{one['@iot.id']}')/Datastream")["@iot.id"] == stream["@iot.id"]
    assert quiet.get(f"Observations('{one['@iot.id']}')/FeatureOfInterest")["feature"] == place["location"]


def test_expand_nested_with_options(quiet: Sta) -> None:
    found = quiet.get(
        "Things",
        expand="Datastreams($select=name;$expand=Observations($top=1;$orderby=phenomenonTime desc),ObservedProperty),"
        "Locations",
        orderby="name",
        count="true",
    )
    assert found["@iot.count"] == 4
    streams = [stream for thing in found["value"] for stream in thing["Datastreams"]]
    assert len(streams) == 6
    for stream in streams:
        (newest,) = stream["Observations"]
        assert stream["Observations@iot.nextLink"]
        page = quiet.client.get(stream["Observations@iot.nextLink"]).json()["value"]
        assert page[0]["phenomenonTime"] < newest["phenomenonTime"]
        assert "ObservedProperty" in stream
        assert "description" not in stream
    one = quiet.get("Observations", top=2, expand="Datastream/Thing/Locations,FeatureOfInterest", orderby="id desc")[
        "value"
    ][0]
    assert "Locations" in one["Datastream"]["Thing"]
    counted = quiet.get("Datastreams", expand="Observations($count=true;$top=0;$filter=result gt 22)")["value"][0]
    assert counted["Observations"] == []
    assert 0 < counted["Observations@iot.count"] < 30


def test_paths_to_properties_values_refs_and_counts(quiet: Sta) -> None:
    thing = quiet.get("Things", filter="description eq 'river-01'")["value"][0]["@iot.id"]
    assert quiet.get(f"Things({thing})/name") == {"name": "Mực nước Gia Bảy"}
    answer = quiet.ask(f"Things({thing})/name/$value")
    assert (answer.text, answer.headers["content-type"]) == ("Mực nước Gia Bảy", "text/plain; charset=utf-8")
    assert quiet.ask(f"Things({thing})/properties").status_code == 204
    refs = quiet.get("Things/$ref", top=2)
    assert [list(one) for one in refs["value"]] == [["@iot.selfLink"]] * 2
    assert "$ref" in refs["@iot.nextLink"]
    assert quiet.ask("Things/$count").text == "4"
    assert quiet.get(f"Things({thing})/Datastreams/$ref")["value"][0]["@iot.selfLink"].startswith(quiet.url)
    assert quiet.get("Observations", select="result", top=1)["value"][0].keys() == {"result"}
    assert quiet.ask("Things(999999)").status_code == 404
    assert quiet.ask("Things(999999)/Datastreams").status_code == 404
    assert quiet.ask("Observations('1.5')").status_code == 404


def test_data_arrays_csv_and_geojson(quiet: Sta) -> None:
    stream = quiet.ids["aq-01", "pm2_5"]
    rows: list[object] = []
    page = quiet.get(f"Datastreams({stream})/Observations", resultFormat="dataArray", top=7, count="true")
    assert page["@iot.count"] == 30
    while True:
        (part,) = page["value"]
        assert part["Datastream@iot.navigationLink"] == f"{quiet.url}/Datastreams({stream})"
        assert part["dataArray@iot.count"] == len(part["dataArray"])
        rows += [row[0] for row in part["dataArray"]]
        if "@iot.nextLink" not in page:
            break
        page = quiet.client.get(page["@iot.nextLink"]).json()
    assert len(rows) == len(set(map(str, rows))) == 30
    text = quiet.ask("Observations", resultFormat="CSV", select="phenomenonTime,result", orderby="id").text.splitlines()
    assert text[0] == "id,phenomenonTime,result"
    assert len(text) == 1 + 6 * 30
    shapes = quiet.get("Locations", resultFormat="GeoJSON")
    assert shapes["type"] == "FeatureCollection"
    assert all(one["geometry"]["type"] == "Point" for one in shapes["features"])
