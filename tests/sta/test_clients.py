"""An outside client, unchanged: frost-sta-client (Fraunhofer IOSB) reads, writes, pages, expands, changes, deletes."""

import frost_sta_client as fsc
import pytest
from furl import furl

from tests.people import token
from tests.sta.conftest import Sta


@pytest.fixture
def service(sta: Sta) -> fsc.SensorThingsService:
    from tram.store.database import connect

    with connect(sta.settings) as conn:
        secret = token(conn)
    return fsc.SensorThingsService(furl(sta.url), auth_handler=fsc.AuthHandler("anybody", secret))


def test_a_round_trip(service: fsc.SensorThingsService) -> None:
    place = fsc.Location(
        name="here", description="there", encoding_type="application/geo+json",
        location={"type": "Point", "coordinates": [105.84, 21.59]},
    )  # fmt: skip
    thing = fsc.Thing(name="frost", description="by a client", properties={"a": 1})
    thing.locations = [place]
    service.create(thing)
    sensor = fsc.Sensor(name="s", description="d", encoding_type="text/html", metadata="m")
    seen = fsc.ObservedProperty(name="p", definition="http://example.org/p", description="d")
    unit = fsc.UnitOfMeasurement(name="degree Celsius", symbol="°C", definition="ucum:Cel")
    stream = fsc.Datastream(
        name="ds", description="d", observation_type="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        unit_of_measurement=unit,
    )  # fmt: skip
    stream.thing, stream.sensor, stream.observed_property = thing, sensor, seen
    service.create(stream)
    for n in range(25):
        service.create(
            fsc.Observation(
                result=n, phenomenon_time=f"2026-05-01T00:{n:02d}:00Z", datastream=fsc.Datastream(id=stream.id)
            )
        )

    found = service.things().query().filter("name eq 'frost'").expand("Locations,Datastreams").list()
    entities = [one for one in found if one.id == thing.id]
    assert entities[0].properties == {"a": 1}
    assert [one.name for one in entities[0].datastreams] == ["ds"]
    again = service.datastreams().find(stream.id)
    values = [one.result for one in again.get_observations().query().top(4).orderby("phenomenonTime", "desc").list()]
    assert values == list(range(24, -1, -1))
    assert (
        service.observations().query().filter(f"Datastream/id eq {stream.id} and result gt 20").count().list().count
        == 4
    )

    one = again.get_observations().query().top(1).list().entities[0]
    assert service.observations().find(one.id).result == one.result
    one.result = 99
    service.patch(one, [{"op": "replace", "path": "/result", "value": 99}])
    assert service.observations().find(one.id).result == 99
    thing.description = "changed"
    service.update(fsc.Thing(id=thing.id, name="frost", description="changed"))
    assert service.things().find(thing.id).description == "changed"

    rows = fsc.model.ext.data_array_value.DataArrayValue()
    rows.datastream = fsc.Datastream(id=stream.id)
    names = rows.Property
    rows.components = {names.PHENOMENON_TIME, names.RESULT}
    for n in range(3):
        rows.add_observation(
            fsc.Observation(phenomenon_time=f"2026-06-01T00:0{n}:00Z", result=n, datastream=rows.datastream)
        )
    document = fsc.model.ext.data_array_document.DataArrayDocument()
    document.add_data_array_value(rows)
    assert len(service.observations().create(document)) == 3
    assert len(list(again.get_observations().query().top(10).list())) == 28

    service.delete(one)
    service.delete(thing)
    assert not list(service.things().query().filter(f"id eq {thing.id}").list())
