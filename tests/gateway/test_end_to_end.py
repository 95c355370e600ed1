"""From PUBLISH to row, on real servers."""

import json
import time
from typing import Any

import pytest

from bench.load import Publisher
from tests.databases import Database
from tests.gateway.conftest import Start
from tests.servers.gateway import Gateway, wait_until
from tests.servers.mosquitto import Mosquitto
from tram.quality import Quality
from tram.sensing import Location

NOW = int(time.time() * 1000)


@pytest.fixture(autouse=True)
def _now() -> None:
    """A test's own time: by the end of a long run that of the import is late, and readings of it are flagged so."""
    global NOW
    NOW = int(time.time() * 1000)


ROWS = """
SELECT t.name, p.name, d.unit, extract(epoch FROM o.phenomenon_time) * 1000, o.result, o.result_json, o.quality,
       o.parameters
FROM observation o JOIN datastream d ON d.id = o.datastream_id JOIN thing t ON t.id = d.thing_id
  JOIN observed_property p ON p.id = d.observed_property_id
ORDER BY 1, 2, 4
"""


def rows(database: Database) -> list[tuple[Any, ...]]:
    with database.connect(autocommit=True) as conn:
        return conn.execute(ROWS).fetchall()


def letters(database: Database) -> list[tuple[str, int]]:
    with database.connect(autocommit=True) as conn:
        return conn.execute("SELECT reason, count(*) FROM dead_letter GROUP BY 1 ORDER BY 1").fetchall()


def publish(broker: Mosquitto, *messages: tuple[str, Any]) -> None:
    publisher = Publisher(broker.port)
    publisher.send([(t.encode(), p if isinstance(p, bytes) else json.dumps(p).encode()) for t, p in messages])
    publisher.settle()
    publisher.close()


def settled(gateway: Gateway, n: int) -> None:
    name = "tram_gateway_acknowledged_messages_total"
    wait_until(lambda: gateway.metrics().get(name, 0) >= n, 60, f"{n} messages are acknowledged")


def test_from_publish_to_row(start_each: Start, broker: Mosquitto, database: Database) -> None:
    gateway = start_each()
    publish(
        broker,
        ("tram/v1/tn-aq-1/telemetry", {"ts": NOW, "pm2_5": 12.5, "temperature": 31, "door": True, "mode": "auto"}),
        ("tram/v1/tn-aq-1/telemetry", {"ts": NOW, "pm2_5": 12.5}),  # the same again
        ("tram/v1/any/telemetry", [{"bn": "tn-wx-7/", "bt": NOW / 1000, "n": "temp", "u": "[degF]", "v": 68.0}]),
    )
    settled(gateway, 3)
    assert rows(database) == [
        ("tn-aq-1", "air_temperature", "Cel", NOW, 31.0, None, 0, None),
        ("tn-aq-1", "door", "", NOW, 1.0, None, 0, None),
        ("tn-aq-1", "mode", "", NOW, None, "auto", 0, None),
        ("tn-aq-1", "pm2_5", "ug/m3", NOW, 12.5, None, 0, None),
        ("tn-wx-7", "air_temperature", "Cel", NOW, pytest.approx(20.0), None, 0, None),
    ]
    metrics = gateway.metrics()
    assert metrics["tram_gateway_duplicate_rows_total"] == 1
    assert metrics["tram_gateway_buffer_messages"] == 0
    assert gateway.stop() == 0


def test_quality(start: Start, broker: Mosquitto, one_database: Database) -> None:
    """Out of range, a clock a year off in either direction, late, an unknown unit."""
    gateway = start()
    year = 365 * 86_400_000
    publish(
        broker,
        ("tram/v1/range/telemetry", {"ts": NOW, "pm2_5": -1}),
        ("tram/v1/future/telemetry", {"ts": NOW + year, "pm2_5": 1}),
        ("tram/v1/past/telemetry", {"ts": NOW - year, "pm2_5": 2}),
        ("tram/v1/late/telemetry", {"ts": NOW - 3_600_000, "pm2_5": 3}),
        ("tram/v1/literal/telemetry", {"ts": 10000, "pm2_5": 4}),
        ("tram/v1/x/telemetry", [{"bn": "unit/", "bt": NOW / 1000, "n": "pm2_5", "u": "furlong", "v": 5.0}]),
    )
    settled(gateway, 6)
    found = {name: (time, result, quality, more) for name, _, _, time, result, _, quality, more in rows(one_database)}
    assert found["range"] == (NOW, -1.0, Quality.RANGE, None)
    assert found["late"] == (NOW - 3_600_000, 3.0, Quality.LATE, None)
    assert found["unit"][1:3] == (5.0, Quality.UNIT)
    for name, result in (("future", 1.0), ("past", 2.0), ("literal", 4.0)):
        time_stored, value, quality, _ = found[name]
        assert abs(float(time_stored) - time.time() * 1000) < 60_000, name
        assert (value, quality) == (result, Quality.CLOCK), name
    assert found["literal"][3] == {"claimed_time": "1970-01-01T00:00:10Z"}


BAD = {
    "utf-8": b'{"pm2_5": 1, "x": "\xff"}',
    "json": b'{"pm2_5": ',
    "empty": b"",
    "depth": b"[" * 1000 + b"]" * 1000,
    "nan": b'{"pm2_5": NaN}',
    "type": b'"only text"',
    "too-large": b"[" + b" " * 1_000_000 + b"]",
}


def test_malformed_payloads_are_dead_letters_and_the_good_ones_are_stored(
    start: Start, broker: Mosquitto, one_database: Database
) -> None:
    gateway = start()
    messages: list[tuple[str, Any]] = []
    for i in range(200):
        messages += [
            ("tram/v1/bad/telemetry", payload) for name, payload in BAD.items() if name != "too-large" or i < 2
        ]
        messages.append(("tram/v1/good/telemetry", {"ts": NOW + i, "pm2_5": i, "pm10": None}))
    publish(broker, *messages)
    settled(gateway, len(messages))
    assert [row[4] for row in rows(one_database)] == [float(i) for i in range(200)]
    assert letters(one_database) == sorted((name, 2 if name == "too-large" else 200) for name in BAD)
    for reason in BAD:
        assert gateway.metrics()[f'tram_gateway_dead_letters_total{{reason="{reason}"}}'] > 0


def test_one_bad_reading_does_not_take_the_others_along(
    start: Start, broker: Mosquitto, one_database: Database
) -> None:
    gateway = start()
    publish(broker, ("tram/v1/a/telemetry", b'{"ts": %d, "pm2_5": 1, "pm10": NaN, "o3": 2, "co": "high"}' % NOW))
    settled(gateway, 1)
    assert [(row[1], row[4]) for row in rows(one_database)] == [("o3", 2.0), ("pm2_5", 1.0)]
    assert letters(one_database) == [("nan", 1), ("type", 1)]


def test_pending_things_wait_and_appear_once(start: Start, broker: Mosquitto, one_database: Database) -> None:
    from tram.store import registry

    gateway = start(provisioning="pending")
    sent = [("tram/v1/new/telemetry", {"ts": NOW + i, "pm2_5": i}) for i in range(30)]
    publish(broker, *sent, ("tram/v1/new/telemetry", {"pm10": 7}))
    settled(gateway, 31)
    assert rows(one_database) == []
    conn = one_database.connect()
    thing = registry.get_thing(conn, "new")
    assert thing.waiting == 31
    before = time.time()
    registry.accept(conn, thing.id)
    conn.commit()
    wait_until(lambda: len(rows(one_database)) >= 31, 60, "the waiting messages are stored")
    found = rows(one_database)
    assert [row[4] for row in found] == [7.0, *(float(i) for i in range(30))]
    assert float(found[0][3]) / 1000 < before  # the time at which it was received, not replayed
    publish(broker, ("tram/v1/new/telemetry", {"ts": NOW + 100, "pm2_5": 100}))
    wait_until(lambda: len(rows(one_database)) == 32, 60, "new messages are stored at once")
    assert registry.get_thing(conn, "new").waiting == 0


def test_closed_to_strangers(start: Start, broker: Mosquitto, one_database: Database) -> None:
    gateway = start(provisioning="closed")
    publish(broker, ("tram/v1/stranger/telemetry", {"ts": NOW, "pm2_5": 1}))
    settled(gateway, 1)
    assert rows(one_database) == []
    assert letters(one_database) == [("closed", 1)]


def test_two_gateways_do_not_disturb_each_other(start: Start, broker: Mosquitto, one_database: Database) -> None:
    """Each with a session of its own: every message is stored by both, and stands there once."""
    gateways = [start(mqtt_client_id=f"gateway-{i}") for i in range(2)]
    publish(broker, *((f"tram/v1/d{i % 7}/telemetry", {"ts": NOW + i, "pm2_5": i}) for i in range(2000)))
    for gateway in gateways:
        settled(gateway, 2000)
    assert len(rows(one_database)) == 2000
    assert sum(g.metrics()["tram_gateway_stored_rows_total"] for g in gateways) == 2000


def test_two_gateways_share_the_messages(start: Start, broker: Mosquitto, one_database: Database) -> None:
    gateways = [start(mqtt_client_id=f"gateway-{i}", mqtt_share="tram") for i in range(2)]
    publish(broker, *((f"tram/v1/d{i % 7}/telemetry", {"ts": NOW + i, "pm2_5": i}) for i in range(2000)))

    def received() -> list[float]:
        return [g.metrics()["tram_gateway_acknowledged_messages_total"] for g in gateways]

    wait_until(lambda: sum(received()) >= 2000, 60, "all are acknowledged")
    assert sum(received()) == 2000
    assert min(received()) > 0
    assert len(rows(one_database)) == 2000


def test_retained_values_without_a_time_are_not_stored_again(
    start: Start, broker: Mosquitto, one_database: Database
) -> None:
    import paho.mqtt.publish as once

    def retain(topic: str, payload: str) -> None:
        once.single(topic, payload, 1, True, "127.0.0.1", broker.port)

    retain("tram/v1/timeless/telemetry", '{"pm2_5": 1}')
    retain("tram/v1/timed/telemetry", json.dumps({"ts": NOW, "pm2_5": 2}))
    gateway = start()
    settled(gateway, 2)
    assert [(row[0], row[4]) for row in rows(one_database)] == [("timed", 2.0)]
    assert gateway.metrics()['tram_gateway_dropped_total{what="retained"}'] == 1


def test_what_a_device_says_of_itself(start: Start, broker: Mosquitto, one_database: Database) -> None:
    from tram.store import registry

    with one_database.connect() as conn:
        conn.execute("INSERT INTO area (id, name) VALUES ('05443', 'Phổ Yên')")
    gateway = start()
    place = {"lon": 105.85, "lat": 21.59}
    publish(
        broker,
        ("tram/v1/w1/state", {"label": "Trạm 1", "kind": "weather", "area": "05443", "location": place, "fw": "1.0"}),
        ("tram/v1/w1/state", {"kind": "air", "fw": "1.1", "serial": "x"}),
        ("tram/v1/w2/state", {"label": "Trạm 2", "area": "nowhere"}),
    )
    settled(gateway, 3)
    publish(broker, ("tram/v1/w1/state", {"fw": "1.1", "colour": "red"}))
    settled(gateway, 4)
    conn = one_database.connect(autocommit=True)
    first, second = registry.get_thing(conn, "w1"), registry.get_thing(conn, "w2")
    assert (second.label, second.area, second.location) == ("Trạm 2", None, None)
    assert (first.label, first.kind, first.area) == ("Trạm 1", "air", "05443")
    assert first.location == Location(105.85, 21.59)
    assert first.properties == {"fw": "1.1", "serial": "x", "colour": "red"}
