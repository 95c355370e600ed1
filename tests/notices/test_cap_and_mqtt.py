"""The public's alerts over HTTP, and standing alarms over MQTT: real database, real API, real broker."""

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.client as paho
import pytest
from lxml import etree
from paho.mqtt.enums import CallbackAPIVersion

from services.notifications import public
from services.notifications.mqtt import AlarmsToMqtt
from tests.cap.test_cap import CAP, valid
from tests.notices.conftest import Scene
from tests.servers.api import serve
from tests.servers.mosquitto import Mosquitto, find
from tests.waiting import until
from tram.alarms.model import Alarm, Kind, Priority, State
from tram.store import cap

ATOM = "{http://www.w3.org/2005/Atom}"
SQUARE = [[105.8, 21.5], [105.9, 21.5], [105.9, 21.6], [105.8, 21.5]]


def entries(client: httpx.Client) -> list[tuple[str, bytes]]:
    """(title, document) of the feed, each valid."""
    feed = client.get("/cap/feed.atom")
    assert feed.status_code == 200
    assert feed.headers["content-type"].startswith("application/atom+xml")
    found = []
    for entry in etree.fromstring(feed.content).findall(ATOM + "entry"):
        link = entry.find(ATOM + "link")
        assert link is not None
        answer = client.get(str(link.get("href")).replace("https://ioc.example", ""))
        assert answer.headers["content-type"].startswith("application/cap+xml")
        valid(answer.content)
        found.append((entry.findtext(ATOM + "title") or "", answer.content))
    return found


def test_the_public_is_told_by_rule(scene: Scene) -> None:
    scene.conn.execute(
        "INSERT INTO area (id, name, name_en, geometry) VALUES ('05482', 'Phường Gia Bảy', 'Gia Bay ward', %s::jsonb)",
        (msgspec.json.encode({"type": "Polygon", "coordinates": [SQUARE]}).decode(),),
    )
    scene.start()
    with serve(scene.settings) as api, httpx.Client(base_url=api.url) as anybody:
        assert entries(anybody) == []
        rule = {"least": "high", "category": "Met", "event": {"vi": "Lũ sông Cầu", "en": "Flood"},
                "instruction": {"vi": "Tránh xa bờ.", "en": "Keep off."}, "severity": {"high": "Moderate"}}  # fmt: skip
        scene.happens(area="05482")  # before there was a rule: nobody is told
        scene.followed()
        made = api.client.put("/api/cap/rules/flood", json=rule)
        assert made.status_code == 200, made.text
        assert api.get("/api/cap/rules").json()[0]["severity"] == {"high": "Moderate"}
        low = scene.happens(area="05482", thing="low", priority=Priority.LOW)
        alarm = scene.happens(area="05482", thing="river-02")
        until(lambda: len(entries(anybody)) == 1, "the alert is in the feed")
        ((title, document),) = entries(anybody)
        assert title == "Lũ sông Cầu, Phường Gia Bảy"
        root = valid(document)
        assert root.findtext(f"{CAP}status") == "Test"  # nobody said who speaks
        assert [e.text for e in root.iter(f"{CAP}severity")] == ["Moderate", "Moderate"]
        assert root.find(f"{CAP}info/{CAP}area/{CAP}polygon").text == "21.5,105.8 21.5,105.9 21.6,105.9 21.5,105.8"
        first = anybody.get("/cap/feed.atom")
        again = anybody.get("/cap/feed.atom", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        scene.happens(Kind.ACKNOWLEDGED, alarm, state=State.ACKNOWLEDGED)
        alarm = scene.happens(Kind.UPGRADED, alarm, level=2, priority=Priority.CRITICAL)
        until(lambda: b"<msgType>Update" in entries(anybody)[0][1], "the update replaces it")
        assert anybody.get("/cap/feed.atom").headers["etag"] != first.headers["etag"]
        scene.happens(Kind.RETURNED, alarm, active=False, level=0, state=State.NORMAL)
        until(lambda: b"<msgType>Cancel" in entries(anybody)[0][1], "it is cancelled")
        assert len(entries(anybody)) == 1
        references = valid(entries(anybody)[0][1]).findtext(f"{CAP}references") or ""
        assert len(references.split(" ")) == 2
        assert low.id
        # A rule that is taken away ends what it said.
        scene.happens(area="05482", thing="river-03")
        until(lambda: len(entries(anybody)) == 2, "another one")
        assert api.client.delete("/api/cap/rules/flood").status_code == 204
        assert api.client.delete("/api/cap/rules/flood").status_code == 404
        scene.stop()
        with scene.conn.transaction():
            assert public.renew(scene.conn, scene.settings, datetime.now(UTC)) == 1
        assert all(b"<msgType>Cancel" in document for _, document in entries(anybody))
        for bad in ({"least": "worst"}, {"expires_minutes": 1}, {"category": "Nope"}, {"severity": {"high": "x"}}):
            assert api.client.put("/api/cap/rules/x", json=bad).status_code == 422
        assert anybody.get("/cap/documents/none").status_code == 404
        assert anybody.get("/api/cap/rules").status_code == 401


def test_a_standing_alarms_document_is_renewed_and_real_ones_are_actual(scene: Scene) -> None:
    settings = replace(
        scene.settings, environment="production", cap_sender="ioc@thainguyen.example", cap_sender_name="IOC"
    )
    with serve(scene.settings) as api:
        assert api.client.put("/api/cap/rules/all", json={"expires_minutes": 60}).status_code == 200
    scene.happens()
    now = datetime.now(UTC)
    with scene.conn.transaction():
        assert public.publish(scene.conn, settings, now) == 1
        assert public.renew(scene.conn, settings, now + timedelta(minutes=40)) == 0
        assert public.renew(scene.conn, settings, now + timedelta(minutes=55)) == 1
        assert public.renew(scene.conn, settings, now + timedelta(minutes=55)) == 0
    (listed,) = cap.newest(scene.conn, 10)
    document, _ = cap.document(scene.conn, listed.identifier)
    root = valid(document)
    assert root.findtext(f"{CAP}status") == "Actual"
    assert root.findtext(f"{CAP}msgType") == "Update"
    assert root.findtext(f"{CAP}sender") == "ioc@thainguyen.example"
    assert cap.trim(scene.conn, now + timedelta(days=1)) == 2


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if find() is None:
        pytest.skip("mosquitto is not installed")
    made = Mosquitto(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


class Listening:
    """A client that keeps the last word of each topic; "" where it was taken away."""

    def __init__(self, port: int) -> None:
        self.states: dict[str, bytes] = {}
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("tram/v1/alarms/#", 1)
        self.client.on_message = self._came
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _came(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        self.states[message.topic] = bytes(message.payload)

    def alarms(self) -> dict[int, Alarm]:
        decoded = [msgspec.json.decode(body, type=Alarm) for body in self.states.values() if body]
        return {alarm.id: alarm for alarm in decoded}

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_standing_alarms_are_retained_at_the_broker(scene: Scene, broker: Mosquitto) -> None:
    settings = replace(scene.settings, mqtt_url=broker.url)
    before = scene.happens(thing="before")
    stopping = threading.Event()
    publisher = AlarmsToMqtt(settings, stopping)
    publisher.retry = 0.1
    publisher.start()
    listening = Listening(broker.port)
    try:
        until(lambda: before.id in listening.alarms(), "what stands already is published")
        alarm = scene.happens(thing="river-01")
        until(lambda: alarm.id in listening.alarms(), "it is published")
        scene.happens(Kind.ACKNOWLEDGED, alarm, state=State.ACKNOWLEDGED)
        until(lambda: listening.alarms()[alarm.id].state is State.ACKNOWLEDGED, "its change too")
        # The broker dies with all it held, and comes back empty; meanwhile something happens.
        broker.stop(signal.SIGKILL)
        for file in broker.folder.glob("*.db"):
            file.unlink()
        other = scene.happens(thing="meanwhile")
        scene.happens(Kind.RETURNED, before, state=State.NORMAL, active=False)
        broker.start()
        late = Listening(broker.port)
        until(lambda: {alarm.id, other.id} == set(late.alarms()), "what stands is there again, and only that")
        late.stop()
    finally:
        stopping.set()
        publisher.join()
        listening.stop()
    # What happens while nobody publishes is published by who comes next.
    while_away = scene.happens(thing="away")
    stopping = threading.Event()
    publisher = AlarmsToMqtt(settings, stopping)
    publisher.retry = 0.1
    publisher.start()
    listening = Listening(broker.port)
    try:
        until(lambda: while_away.id in listening.alarms(), "it is published after all")
    finally:
        stopping.set()
        publisher.join()
        listening.stop()
