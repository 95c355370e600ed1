"""Fixtures: a real broker, and an ear at it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers import mosquitto


@pytest.fixture(scope="session")
def needs_broker() -> None:
    if mosquitto.find() is None:
        pytest.skip("mosquitto is not installed: apt install mosquitto")


@pytest.fixture
def broker(needs_broker: None, tmp_path: Path) -> Iterator[mosquitto.Mosquitto]:
    made = mosquitto.Mosquitto(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


class Ear:
    """Hears all that is published under a filter, in order; a persistent session, so a restart loses nothing."""

    def __init__(self, port: int, topic_filter: str) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "ear", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic_filter, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _c, _d, m: self.heard.append((m.topic, m.payload, m.retain))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(60)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(broker: mosquitto.Mosquitto) -> Iterator[Callable[[str], Ear]]:
    ears: list[Ear] = []

    def listen(topic_filter: str) -> Ear:
        ears.append(Ear(broker.port, topic_filter))
        return ears[-1]

    yield listen
    for one in ears:
        one.close()
