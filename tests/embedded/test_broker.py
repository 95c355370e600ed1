"""The embedded broker: a real one, with a real client; its limits are what the documentation says."""

import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
import pytest

from tests.waiting import until
from tram.embedded.broker import BrokerServer
from tram.embedded.ports import listens_on_loopback


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerServer]:
    with BrokerServer(tmp_path_factory.mktemp("broker")) as made:
        yield made


class Client:
    """A connected client that remembers what it gets."""

    def __init__(self, broker: BrokerServer, name: str, topic: str | None = None, *, manual_ack: bool = False) -> None:
        self.got: list[mqtt.MQTTMessage] = []
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, manual_ack=manual_ack
        )
        self.paho.max_inflight_messages_set(1000)
        self.paho.on_message = lambda client, data, message: self.got.append(message)
        subscribed = threading.Event()
        self.paho.on_subscribe = lambda *_: subscribed.set()
        self.paho.connect("127.0.0.1", broker.port)
        self.paho.loop_start()
        if topic:
            until(self.paho.is_connected, "connected")
            self.paho.subscribe(topic, qos=1)
            assert subscribed.wait(60)

    def publish(self, topic: str, payload: bytes) -> None:
        self.paho.publish(topic, payload, qos=1).wait_for_publish(10)

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture
def client(broker: BrokerServer) -> Iterator[object]:
    made: list[Client] = []

    def connect(*words: str, **options: bool) -> Client:
        made.append(Client(broker, *words, **options))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def test_it_listens_on_loopback_only(broker: BrokerServer) -> None:
    listening = [
        c.laddr.ip for c in psutil.net_connections("tcp") if c.pid == broker.pid and c.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_messages_arrive_with_topic_and_payload(client) -> None:
    reader = client("arrive-r", "tram/v1/+/telemetry")
    client("arrive-w").publish("tram/v1/a/telemetry", b"{}")
    until(lambda: reader.got, "the message")
    assert (reader.got[0].topic, reader.got[0].payload, reader.got[0].qos) == ("tram/v1/a/telemetry", b"{}", 1)


def test_a_payload_far_over_the_decoders_limit_still_passes_to_reach_the_dead_letters(client) -> None:
    reader = client("large-r", "large/#")
    client("large-w").publish("large/one", b"x" * 2_000_000)
    until(lambda: reader.got, "the message")
    assert len(reader.got[0].payload) == 2_000_000


def test_a_session_keeps_messages_for_its_client_while_it_is_away(client) -> None:
    client("away-r", "away/#").close()
    writer = client("away-w")
    for number in range(50):
        writer.publish("away/one", b"%d" % number)
    back = client("away-r")
    until(lambda: len(back.got) == 50, "all of them")
    assert [int(message.payload) for message in back.got] == list(range(50))


def test_it_hands_over_a_hundred_messages_before_it_wants_acknowledgements(client) -> None:
    """What docs/adr/0010 says and `tram up` sets the gateway's batches by."""
    reader = client("window-r", "window/#", manual_ack=True)
    writer = client("window-w")
    for number in range(150):
        writer.publish("window/one", b"%d" % number)
    until(lambda: len(reader.got) == 100, "the first hundred")
    for message in list(reader.got):
        reader.paho.ack(message.mid, message.qos)
    until(lambda: len(reader.got) == 150, "the rest")


def test_stopped_it_frees_its_port_and_leaves_no_process(tmp_path: Path) -> None:
    broker = BrokerServer(tmp_path).start()
    process = psutil.Process(broker.pid)
    assert listens_on_loopback(broker.port)
    broker.stop()
    assert not process.is_running()
    assert not listens_on_loopback(broker.port)
