"""Alarms over MQTT: `tram/v1/alarms/{id}`, retained, holds each alarm that is not normal; docs/notifications.md.

The position moves only after the broker has acknowledged, so after a crash a state comes twice and none is missed. When
it begins, and when the broker was away, all standing alarms are published anew: a broker may have lost its memory.
"""

import threading
from typing import Any

import msgspec
import paho.mqtt.client as paho

from services import mqttclient
from services.led import Led
from tram.alarms.model import Alarm, State
from tram.errors import UnavailableError
from tram.settings import Settings
from tram.store import alarms, notices
from tram.store.database import Connection, available
from tram.store.notify import Listener

ROOT = "tram/v1/alarms"
READER = "mqtt"
WAIT = 1.0
ACKNOWLEDGED = 10.0
"""Seconds the broker may take to acknowledge."""


class NotAcknowledgedError(UnavailableError):
    """The broker did not take a message in time."""

    def __init__(self) -> None:
        super().__init__("the broker does not acknowledge; it is tried again")


class AlarmsToMqtt(Led):
    """The thread; one worker publishes."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        super().__init__(settings, stopping, "alarms-mqtt", lock=129, channels=(alarms.CHANNEL,))
        self._again = threading.Event()
        self._client = mqttclient.client(settings, "tram-alarms")
        self._client.on_connect = self._connected

    def run(self) -> None:
        """Until `stopping`. Database or broker away: it waits and tries again."""
        mqttclient.begin(self._client, self._settings)
        try:
            super().run()
        finally:
            mqttclient.end(self._client)

    def _connected(self, client: paho.Client, *_: Any) -> None:
        self._again.set()

    def serve(self, conn: Connection, listener: Listener) -> None:
        self._again.set()
        while not self._stopping.is_set():
            if not self._client.is_connected():
                self._stopping.wait(0.2)
                conn.execute("SELECT 1")  # a lost connection, and with it the lead, is noticed
                conn.commit()
                continue
            if self._again.is_set():
                self._again.clear()
                self._publish(alarms.current(conn))
                conn.commit()
            taken = notices.follow(conn, READER)
            # Of several changes of one alarm the last is what it is now.
            self._publish(list({change.alarm.id: change.alarm for change in taken}.values()))
            with available():
                conn.commit()
            if not taken:
                listener.wait(WAIT, self._stopping)

    def _publish(self, states: list[Alarm]) -> None:
        sent = []
        for alarm in states:
            over = alarm.state is State.NORMAL
            # An empty retained message takes the retained one away (MQTT 3.1.1, 3.3.1.3).
            payload = b"" if over else msgspec.json.encode(alarm)
            sent.append(self._client.publish(f"{ROOT}/{alarm.id}", payload, qos=1, retain=True))
        for one in sent:
            try:
                one.wait_for_publish(ACKNOWLEDGED)
            except (ValueError, RuntimeError):
                raise NotAcknowledgedError() from None
            if not one.is_published():
                raise NotAcknowledgedError()
