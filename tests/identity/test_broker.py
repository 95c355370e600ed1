"""The rules on a real mosquitto: publishing elsewhere, subscribing to #, a revoked device: refused and recorded."""

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from services.jobs import ReadBrokerLog, SetBrokerRules
from services.worker import Worker
from tests.databases import Database
from tests.servers.mosquitto import Mosquitto, find
from tests.waiting import until
from tram.embedded.ports import free_port
from tram.errors import SettingsError
from tram.identity.brokerlog import BrokerLog, Refusal, covers
from tram.runtime import brokerfiles
from tram.runtime.readiness import Readiness
from tram.store import credentials, events
from tram.store.database import Connection

needs_mosquitto = pytest.mark.skipif(find() is None, reason="mosquitto is not installed: apt-get install mosquitto")


class Device:
    """A client that keeps what it is told."""

    def __init__(self, port: int, user: str, password: str, version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5):
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.acks: queue.Queue[tuple[int, int]] = queue.Queue()
        self.codes: queue.Queue[int] = queue.Queue()
        self.lost = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, f"c-{user}", protocol=version)
        self.client.username_pw_set(user, password)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.codes.put(reason.value)
        self.client.on_disconnect = lambda *_: self.lost.set()
        self.client.on_message = lambda _c, _u, m: self.heard.put((m.topic, m.payload))
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self.acks.put((mid, reason.value))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.code = self.codes.get(timeout=60)

    def publish(self, topic: str) -> int:
        """The broker's reason code: 0 taken (16: nobody subscribed), 135 not authorised."""
        self.client.publish(topic, b"x", qos=1)
        return self.acks.get(timeout=60)[1]

    def subscribe(self, topic: str) -> int:
        """The broker's reason code: 1 granted with QoS 1; refused: 128 in MQTT 3.1.1, 135 in MQTT 5."""
        codes: queue.Queue[int] = queue.Queue()
        self.client.on_subscribe = lambda _c, _u, _m, reasons, _p: codes.put(reasons[0].value)
        self.client.subscribe(topic, 1)
        return codes.get(timeout=60)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Site:
    """The broker with Trạm's files, its worker, and the store."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.settings = replace(
            database.settings, home=folder / "home", broker_files=str(folder / "b"),
            broker_log=str(folder / "b" / "mosquitto.log"),
        )  # fmt: skip
        self.conn: Connection = database.connect(autocommit=True)
        self.folder = folder / "b"
        port = free_port()
        assert brokerfiles.configure(self.folder, host="127.0.0.1", port=port)
        brokerfiles.write(self.conn, self.folder, 0.0)
        self.broker = Mosquitto(folder / "run")
        (folder / "run" / "mosquitto.conf").write_text((self.folder / "mosquitto.conf").read_text())
        self.broker.port = self.port = port
        self.broker.start()
        self.stopping = threading.Event()
        from services import jobs

        wanted = [j for j in jobs.JOBS if j.name.startswith("broker")]
        fresh = {"broker-log": ReadBrokerLog(), "broker-rules": SetBrokerRules()}
        quick = [replace(j, period=0.1, work=fresh.get(j.name, j.work)) for j in wanted]
        worker = Worker(self.settings, self.stopping, Readiness("database"), quick)
        self.thread = threading.Thread(target=worker.run)
        self.thread.start()

    def device(self, issued: credentials.Issued, version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5) -> Device:
        """It connects as soon as the worker has written its credential, and waits until its rules are set."""
        found: list[Device] = []

        def connected() -> bool:
            device = Device(self.port, issued.user, issued.password, version)
            if device.code != 0:
                device.close()
                return False
            found.append(device)
            return True

        until(connected, "the broker knows the device")
        own = f"tram/v1/{issued.thing}/command/+"
        until(lambda: found[0].subscribe(own) == 1, "its rules are set")
        found[0].client.unsubscribe(own)
        return found[0]

    def recorded(self, code: str, subject: str) -> events.Event:
        """The event, once it is there."""
        found: list[events.Event] = []

        def there() -> bool:
            found[:] = events.newest(self.conn, code=code, subject=subject)
            return bool(found)

        until(there, f"{code} of {subject}")
        return found[0]

    def topics(self, subject: str) -> set[object]:
        """The topics of the refusals recorded of a device."""
        return {event.detail.get("topic") for event in events.newest(self.conn, subject=subject)}

    def close(self) -> None:
        self.stopping.set()
        self.thread.join(60)
        self.broker.stop()


@pytest.fixture
def site(one_database: Database, tmp_path: Path) -> Iterator[Site]:
    made = Site(one_database, tmp_path)
    yield made
    made.close()


@needs_mosquitto
def test_on_the_real_broker(site: Site) -> None:
    one = credentials.issue(site.conn, "air-1", by="p:1")
    two = credentials.issue(site.conn, "air-2", by="p:1")
    first, second = site.device(one), site.device(two)
    password = (site.folder / "gateway.password").read_text().strip()
    gateway = Device(site.port, "gateway", password)
    for topic in ("#", "$SYS/#", "$share/group/tram/v1/#"):
        assert gateway.subscribe(topic) == 1, topic
    gateway.close()
    gateway = Device(site.port, "gateway", password)
    assert gateway.subscribe("tram/v1/#") == 1

    # Its own topics: taken, and heard by the gateway.
    assert first.publish("tram/v1/air-1/telemetry") == 0
    assert gateway.heard.get(timeout=60) == ("tram/v1/air-1/telemetry", b"x")

    # Elsewhere: refused and recorded, and nobody hears it.
    for topic in ("tram/v1/air-2/telemetry", "tram/v1/air-1/command/1", "$SYS/x", "tram/v1/telemetry"):
        assert first.publish(topic) == 135, topic
    event = site.recorded("device.topic-refused", "d:air-1")
    assert event.origin == "127.0.0.1"
    assert first.publish("tram/v1/air-1/state") == 0
    assert gateway.heard.get(timeout=60)[0] == "tram/v1/air-1/state", "nothing in between"

    # Everything, or another's: refused at once, recorded, and nothing of it arrives.
    foreign = ["#", "+/#", "tram/v1/#", "tram/v1/+/command/+", "tram/v1/air-1/command/+", "$SYS/#",
               "$share/g/tram/v1/air-2/command/+", "$CONTROL/#", "$CONTROL/dynamic-security/v1/response"]  # fmt: skip
    old = site.device(credentials.issue(site.conn, "air-3", by="p:1"), MQTTProtocolVersion.MQTTv311)
    for topic in foreign:
        assert second.subscribe(topic) == 135, topic
        assert old.subscribe(topic) == 128, topic
    until(lambda: set(foreign) <= site.topics("d:air-2"), "all recorded")
    assert second.subscribe("tram/v1/air-2/command/+") == 1
    assert gateway.publish("tram/v1/air-1/command/7") in (0, 16)
    assert first.publish("tram/v1/air-1/telemetry") == 0
    assert gateway.publish("tram/v1/air-2/command/8") == 0
    assert second.heard.get(timeout=60) == ("tram/v1/air-2/command/8", b"x")
    assert second.heard.empty()
    assert old.heard.empty()
    assert first.publish("$CONTROL/dynamic-security/v1") == 135
    old.close()

    # Rotation: both are good at once; the old one ends when it runs out.
    new = credentials.rotate(site.conn, "air-1", by="p:1", now=0.0, overlap=4e9)
    renewed = site.device(new)
    assert renewed.publish("tram/v1/air-1/telemetry") == 0
    assert first.publish("tram/v1/air-1/telemetry") == 0

    # Revoked: thrown out, and refused from then on.
    credentials.revoke(site.conn, "air-1")
    assert first.lost.wait(60)
    assert renewed.lost.wait(60)
    for issued in (one, new):
        # Its rules go first, so that it is never let in with none to lose what it sends; its password a moment later.
        until(lambda: Device(site.port, issued.user, issued.password).code == 135, "refused")  # noqa: B023
    site.recorded("device.refused", "")
    assert second.publish("tram/v1/air-2/telemetry") == 0, "the others are left alone"
    for device in (first, renewed, second, gateway):
        device.close()


@needs_mosquitto
def test_rules_that_somebody_changed_by_hand_are_set_right_again(site: Site) -> None:
    """And what was issued while the broker was away is there when it is back."""
    one = credentials.issue(site.conn, "air-1", by="p:1")
    site.device(one).close()
    site.broker.stop()
    rules = site.folder / "rules.json"
    held = json.loads(rules.read_text())
    held["defaultACLAccess"]["subscribe"] = True
    mine = next(role for role in held["roles"] if role["rolename"] == "air-1")
    mine["acls"].append({"acltype": "publishClientSend", "topic": "#", "priority": 0, "allow": True})
    held["roles"].append(
        {"rolename": "everything", "acls": [{"acltype": "subscribePattern", "topic": "#", "allow": True}]}
    )
    held["clients"].append({"username": "stranger", "roles": [{"rolename": "everything"}]})
    rules.write_text(json.dumps(held))
    two = credentials.issue(site.conn, "air-2", by="p:1")
    site.broker.start()
    device, other = site.device(one), site.device(two)
    until(lambda: device.publish("tram/v1/air-2/telemetry") == 135, "its own topics only")
    until(lambda: device.subscribe("#") == 135, "refused by default")

    def gone() -> bool:
        now = json.loads(rules.read_text())
        names = {role["rolename"] for role in now["roles"]} | {client["username"] for client in now["clients"]}
        return names == {"air-1", "air-2", "gateway", "health", "control"}

    until(gone, "what nobody asked for is gone")
    device.close()
    other.close()


@needs_mosquitto
def test_a_device_of_a_foreign_convention_has_its_topics_too(site: Site) -> None:
    issued = credentials.issue(site.conn, "lora-1", by="p:1", topics=["application/7/device/aa/#"])
    device = site.device(issued)
    assert device.publish("application/7/device/aa/event/up") in (0, 16)
    assert device.publish("application/7/device/bb/event/up") == 135
    device.close()


@needs_mosquitto
def test_nobody_gets_in_without_a_credential(site: Site) -> None:
    for user, password in (("air-9", "x"), ("gateway", "x"), ("", "")):
        assert Device(site.port, user, password).code in (135, 134)


def test_off_loopback_needs_tls(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TLS"):
        brokerfiles.configure(tmp_path, host="0.0.0.0", port=8883)
    with pytest.raises(SettingsError, match="--plugin"):
        brokerfiles.configure(tmp_path, host="127.0.0.1", port=8883, find=lambda: None)
    assert brokerfiles.configure(tmp_path, host="0.0.0.0", port=8883, cert="/c.pem", key="/k.pem", plugin="/p.so")
    assert "certfile /c.pem" in (tmp_path / "mosquitto.conf").read_text()
    assert not brokerfiles.configure(tmp_path, host="127.0.0.1", port=1, plugin="/p.so"), (
        "what a person may have changed stays"
    )


def test_the_files_are_written_when_something_changed_only(one_database: Database, tmp_path: Path) -> None:
    conn = one_database.connect(autocommit=True)
    assert brokerfiles.write(conn, tmp_path, 0.0)
    assert not brokerfiles.write(conn, tmp_path, 0.0)
    credentials.issue(conn, "air-1", by="p:1")
    assert brokerfiles.write(conn, tmp_path, 0.0)
    assert {f.stat().st_mode & 0o777 for f in tmp_path.iterdir()} == {0o600}
    assert "$7$" not in (tmp_path / "rules.json").read_text()
    assert "air-1:$7$" in (tmp_path / "passwd").read_text()


def test_the_log_reader_follows_a_rotation(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("1: Denied PUBLISH from old (d0, q1, r0, m1, 'x', ... (1 bytes))\n")
    reader = brokerfiles.LogReader(file)
    assert reader.refusals() == []
    denied = "2: Denied PUBLISH from new (d0, q1, r0, m1, 'y', ... (1 bytes))\n"
    with file.open("a") as log:
        log.write(denied[:20])
        log.flush()
        assert reader.refusals() == []
        log.write(denied[20:])
    assert [r.topic for r in reader.refusals()] == ["y"]
    file.rename(tmp_path / "log.1")
    file.write_text(denied)
    assert [r.topic for r in reader.refusals()] == ["y"]


topics = st.lists(st.sampled_from(["a", "b", "+", "#", "", "$share"]), min_size=1, max_size=4).map("/".join)


@given(topics, topics)
def test_a_filter_covers_no_more_than_it_matches(held: str, wanted: str) -> None:
    """Compared with paho's own matcher: whatever concrete topic `wanted` matches, `held` must match too."""
    if "#" in held[:-1] or "#" in wanted[:-1] or "$share" in wanted or "$share" in held:
        return
    if covers(held, wanted):
        for level in ("a", "b", "zzz"):
            concrete = wanted.replace("#", level).replace("+", level)
            assert paho.topic_matches_sub(held, concrete)


@given(st.text(max_size=120))
def test_any_line_is_read(line: str) -> None:
    log = BrokerLog(lambda user, topic: False)
    found = log.feed(line)
    assert found is None or isinstance(found, Refusal)


def test_a_client_name_cannot_pass_for_another(tmp_path: Path) -> None:
    """Client ids are chosen by devices: whatever stands in one, the user is what the broker checked."""
    log = BrokerLog(lambda user, topic: False)
    log.feed("1: New client connected from 10.0.0.1:5 as x (p2, c1, k60, u'air-1'). (p2, c1, k60, u'air-2').")
    found = log.feed("1: Denied PUBLISH from x (p2, c1, k60, u'air-1'). (d0, q1, r0, m1, 't', ... (1 bytes))")
    assert found == Refusal("device.topic-refused", "air-2", "t", "10.0.0.1")
