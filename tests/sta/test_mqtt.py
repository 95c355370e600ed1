"""SensorThings over a real mosquitto: create, what is stored comes out, and nothing is missed across a restart."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from services.sta import mqtt, updates
from services.sta.mqtt import Bridge
from tests.servers.mosquitto import Mosquitto, find
from tests.sta.conftest import Sta
from tests.sta.test_writing import at, datastream, deep
from tests.waiting import until
from tram.settings import Settings

pytestmark = pytest.mark.skipif(find() is None, reason="mosquitto is not installed")


BROKEN = b'{"result": }'


class Listener:
    """Remembers what is published."""

    def __init__(self, broker: Mosquitto) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, "listener")
        ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("v1.1/#", 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert ready.wait(60)

    def _hear(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        if b'"result"' in message.payload and message.payload != BROKEN:
            self.heard.append((message.topic, json.loads(message.payload)))

    def results(self, topic: str) -> list[Any]:
        """In order, each once: what the broker acknowledged too late is published again."""
        found = [one["result"] for heard, one in self.heard if heard == topic and "@iot.selfLink" in one]
        return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path_factory.mktemp("sta-mqtt"))
    made.start()
    yield made
    made.stop()


def run(sta: Sta, broker: Mosquitto, name: str, mode: str = "on", room: int = 0) -> tuple[Bridge, threading.Event]:
    """`room`: how many messages the client holds until the broker has them; 0: as many as MQTT has numbers for."""
    stopping = threading.Event()
    settings = Settings(database_url=sta.settings.database_url, mqtt_url=broker.url, sta_mqtt=mode)
    bridge = Bridge(settings, stopping, name)
    bridge._client.max_queued_messages_set(room)
    bridge.start()
    assert bridge.subscribed.wait(60)
    return bridge, stopping


def test_create_hear_and_a_restart(sta: Sta, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    _, stream = deep(sta, 0)
    topic = f"v1.1/Datastreams({stream})/Observations"
    name = f"bridge-{stream}-{sta.ids['aq-01', 'pm2_5']}-{id(sta)}"
    bridge, stopping = run(sta, broker, name)
    listener = Listener(broker)
    try:
        until(lambda: sta.client.get("/healthz").status_code == 200, "the API answers")
        for n in range(3):
            listener.client.publish(topic, json.dumps({"phenomenonTime": at(n), "result": n}), 1)
        until(lambda: sta.ask(f"Datastreams({stream})/Observations/$count").text == "3", "they are stored")
        until(lambda: listener.results(topic) == [0, 1, 2], "they come out again")
        until(lambda: {0, 1, 2} <= set(listener.results("v1.1/Observations")), "among all Observations too")
        message = next(one for _, one in listener.heard if "@iot.selfLink" in one)
        stored = sta.get(f"Observations('{message['@iot.id']}')")
        feature = sta.get(f"Observations('{message['@iot.id']}')/FeatureOfInterest")["@iot.id"]
        own = f"v1.1/FeaturesOfInterest({feature})/Observations"
        until(lambda: listener.results(own) == [0, 1, 2], "and at what they are about")
        assert message["phenomenonTime"] == stored["phenomenonTime"]
        listener.client.publish(topic, BROKEN, 1)
        letters = "/api/dead-letters"
        until(lambda: topic in sta.client.get(letters).text, "what cannot be read is a dead letter")
        stopping.set()
        bridge.join()
        # While nobody bridges: one comes over HTTP, one over MQTT.
        sta.make(f"Datastreams({stream})/Observations", {"phenomenonTime": at(10), "result": 10})
        listener.client.publish(topic, json.dumps({"phenomenonTime": at(11), "result": 11}), 1).wait_for_publish(5)
        # And more than there is room for, as an import commits: it goes in lines.
        monkeypatch.setattr(mqtt, "LINE", 5)
        for n in range(20, 30):
            sta.make(f"Datastreams({stream})/Observations", {"phenomenonTime": at(n), "result": n})
        bridge, stopping = run(sta, broker, name, room=6)
        until(lambda: {10, 11, *range(20, 30)} <= set(listener.results(topic)), "nothing was missed")
        assert sta.ask(f"Datastreams({stream})/Observations/$count").text == "15"
    finally:
        stopping.set()
        bridge.join()
        listener.client.disconnect()
        listener.client.loop_stop()


class Subscriber:
    """A client that keeps its session and comes back by itself; what it heard by topic."""

    def __init__(self, broker: Mosquitto, name: str, topics: list[str]) -> None:
        self.heard: dict[str, list[Any]] = {topic: [] for topic in topics}
        self.ready = threading.Event()
        self._waiting = 0
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_subscribe = self._subscribed
        self.client.on_message = lambda _, __, m: self.heard[m.topic].append(json.loads(m.payload))
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert self.ready.wait(60)

    def _connected(self, client: paho.Client, *_: Any) -> None:
        self._waiting = len(self.heard)
        for topic in self.heard:
            client.subscribe(topic, 1)

    def _subscribed(self, *_: Any) -> None:
        self._waiting -= 1
        if not self._waiting:
            self.ready.set()

    def last(self, topic: str) -> Any:
        return self.heard[topic][-1] if self.heard[topic] else None

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that says who subscribes to what."""
    made = Mosquitto(tmp_path, {"log_dest": "topic", "log_type": "subscribe"})
    made.start()
    yield made
    made.stop()


def test_subscribers_hear_of_entities_properties_and_selections_also_after_the_broker_was_away(
    sta: Sta, telling: Mosquitto
) -> None:
    """OGC 18-088, 14.2: an entity set, an entity, a property, and chosen properties of a set."""
    id, stream = deep(sta, 1)
    thing, set_of = f"v1.1/Things({id})", f"v1.1/Things({id})/Datastreams"
    chosen, rows = "v1.1/Things?$select=id,name", f"v1.1/Datastreams({stream})/Observations"
    few = f"{rows}?$select=result,phenomenonTime"
    observation = sta.get(f"Datastreams({stream})/Observations")["value"][0]["@iot.id"]
    one = f"v1.1/Observations('{observation}')"
    topics = ["v1.1/Things", thing, f"{thing}/name", f"{thing}/description", set_of, chosen, few, one, f"{one}/result"]
    bridge, stopping = run(sta, telling, f"telling-{id}-{sta.ids['aq-01', 'pm2_5']}", "logged")
    subscriber = Subscriber(telling, f"subscriber-{id}", topics)
    try:
        with psycopg.connect(sta.settings.database_url, autocommit=True) as conn:
            asked = "SELECT count(*) FROM sta_topic WHERE topic = ANY(%s)"
            until(lambda: conn.execute(asked, ([chosen, few],)).fetchone() == (2,), "the selections are known")
        assert sta.send("PATCH", f"Things({id})", {"name": "mới"}).status_code == 200
        until(lambda: subscriber.last(chosen) == {"@iot.id": id, "name": "mới"}, "the selection is heard")
        until(lambda: subscriber.last(f"{thing}/name") == {"name": "mới"}, "the property is heard")
        whole = subscriber.last(thing)
        stored = sta.get(f"Things({id})")
        assert (whole["name"], whole["properties"]) == (stored["name"], stored["properties"])
        until(lambda: whole in subscriber.heard["v1.1/Things"], "the set is told of it")
        assert subscriber.heard[f"{thing}/description"] == []  # it was not changed
        made = sta.make(f"Things({id})/Datastreams", datastream(name="thêm"))["@iot.id"]
        until(lambda: (subscriber.last(set_of) or {}).get("@iot.id") == made, "what is new in a set is heard")
        telling.stop()
        assert sta.send("PATCH", f"Things({id})", {"name": "khi đứt"}).status_code == 200
        sta.make(f"Datastreams({stream})/Observations", {"phenomenonTime": at(7), "result": 7.50})
        telling.start()
        until(lambda: subscriber.last(f"{thing}/name") == {"name": "khi đứt"}, "nothing was missed", 60)
        until(lambda: {"result": 7.5, "phenomenonTime": at(7)} in subscriber.heard[few], "nor an Observation", 60)
        assert sta.send("PATCH", f"Observations('{observation}')", {"result": 99}).status_code == 200
        until(lambda: subscriber.last(f"{one}/result") == {"result": 99}, "a correction is heard")
        until(lambda: (subscriber.last(one) or {}).get("result") == 99, "with the whole of it")
    finally:
        stopping.set()
        bridge.join()
        subscriber.close()


def test_a_topic_that_is_none_is_not_remembered(sta: Sta) -> None:
    with psycopg.connect(sta.settings.database_url) as conn:
        before = conn.execute("SELECT count(*) FROM sta_topic").fetchone()
        watched = updates.Watched()
        for topic in (
            "#", "v1.1/Things", "v1.1/Things?$select=", "v1.1/Things?$select=nope", "v1.1/Nothing?$select=id",
            "v2/Things?$select=id", "v1.1/Things(1)/name?$select=id", "v1.1/+/Observations?$select=result",
            "v1.1/Things?$select=" + "name," * 500 + "id",
        ):  # fmt: skip
            watched.learn(conn, topic)
        assert conn.execute("SELECT count(*) FROM sta_topic").fetchone() == before
        watched.learn(conn, "v1.1/Things(1)/Datastreams?$select=name,Thing")
        text = '{"@iot.id":5,"name":"a","x":1.50,"Thing@iot.navigationLink":"http://t"}'
        also = list(watched.also("v1.1/Things(1)/Datastreams", text))
        assert [json.loads(one) for _, one in also] == [{"name": "a", "Thing@iot.navigationLink": "http://t"}]
        conn.rollback()


def test_what_changed_again_while_it_was_told_is_told_again(sta: Sta) -> None:
    id, _ = deep(sta, 0)
    with psycopg.connect(sta.settings.database_url) as conn:
        mine = "SELECT version, created, columns FROM entity_change WHERE entity = 'Thing' AND id = %s"
        conn.execute("DELETE FROM entity_change")
        conn.execute("UPDATE thing SET seen = now(), dropped = dropped WHERE id = %s", (id,))
        assert conn.execute(mine, (id,)).fetchone() is None
        conn.execute("UPDATE thing SET label = 'a' WHERE id = %s", (id,))
        read = [one for one in updates.waiting(conn) if one.id == id and one.entity == "Thing"]
        assert [updates.changed(one) for one in read] == [["name"]]
        conn.execute("UPDATE thing SET description = 'b' WHERE id = %s", (id,))
        updates.told(conn, read)
        assert conn.execute(mine, (id,)).fetchone() == (2, False, ["description", "label"])
        updates.told(conn, [one._replace(version=2) for one in read])
        assert conn.execute(mine, (id,)).fetchone() is None
        conn.rollback()
