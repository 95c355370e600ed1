"""SensorThings over a real mosquitto: create, what is stored comes out, and nothing is missed across a restart."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from services.sta.mqtt import Bridge
from tests.servers.mosquitto import Mosquitto, find
from tests.sta.conftest import Sta
from tests.sta.test_writing import at, deep
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
        assert ready.wait(10)

    def _hear(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        if b'"result"' in message.payload and message.payload != BROKEN:
            self.heard.append((message.topic, json.loads(message.payload)))

    def results(self, topic: str) -> list[Any]:
        return [one["result"] for heard, one in self.heard if heard == topic and "@iot.selfLink" in one]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path_factory.mktemp("sta-mqtt"))
    made.start()
    yield made
    made.stop()


def run(sta: Sta, broker: Mosquitto, name: str) -> tuple[Bridge, threading.Event]:
    stopping = threading.Event()
    settings = Settings(database_url=sta.settings.database_url, mqtt_url=broker.url)
    bridge = Bridge(settings, stopping, name)
    bridge.start()
    assert bridge.subscribed.wait(20)
    return bridge, stopping


def test_create_hear_and_a_restart(sta: Sta, broker: Mosquitto) -> None:
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
        assert listener.results("v1.1/Observations") == [0, 1, 2]
        message = next(one for _, one in listener.heard if "@iot.selfLink" in one)
        stored = sta.get(f"Observations('{message['@iot.id']}')")
        assert message["phenomenonTime"] == stored["phenomenonTime"]
        listener.client.publish(topic, BROKEN, 1)
        letters = "/api/dead-letters"
        until(lambda: topic in sta.client.get(letters).text, "what cannot be read is a dead letter")
        stopping.set()
        bridge.join()
        # While nobody bridges: one comes over HTTP, one over MQTT.
        sta.make(f"Datastreams({stream})/Observations", {"phenomenonTime": at(10), "result": 10})
        listener.client.publish(topic, json.dumps({"phenomenonTime": at(11), "result": 11}), 1).wait_for_publish(5)
        bridge, stopping = run(sta, broker, name)
        until(lambda: {10, 11} <= set(listener.results(topic)), "nothing was missed")
        assert sta.ask(f"Datastreams({stream})/Observations/$count").text == "5"
    finally:
        stopping.set()
        bridge.join()
        listener.client.disconnect()
        listener.client.loop_stop()
