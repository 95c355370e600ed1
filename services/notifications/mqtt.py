"""Alarms over MQTT: `tram/v1/alarms/{id}`, retained, holds each alarm that is not normal; docs/notifications.md.

The position moves only after the broker has acknowledged, so after a crash a state comes twice and none is missed. When
it begins, and when the broker was away, all standing alarms are published anew: a broker may have lost its memory.
"""

import logging
import ssl
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from tram.alarms.model import Alarm, State
from tram.errors import UnavailableError
from tram.settings import Settings
from tram.store import alarms, notices
from tram.store.database import Connection, available, connect
from tram.store.notify import Listener

log = logging.getLogger(__name__)

ROOT = "tram/v1/alarms"
READER = "mqtt"
LOCK = (0x7472616D, 129)
RETRY = 2.0
WAIT = 1.0
ACKNOWLEDGED = 10.0
"""Seconds the broker may take to acknowledge."""


class NotAcknowledgedError(Exception):
    """The broker did not take a message in time."""


class AlarmsToMqtt:
    """The thread. `stopping` ends it; several workers may run, one publishes."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        self._settings, self._stopping = settings, stopping
        self._again = threading.Event()
        self._client = self._made()
        self._thread = threading.Thread(target=self.run, name="alarms-mqtt", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def join(self, timeout: float = 10) -> None:
        """Waits for its end, after `stopping` was set."""
        self._thread.join(timeout)

    def run(self) -> None:
        """Until `stopping`. Database or broker away: it waits and tries again."""
        address = urlsplit(self._settings.mqtt_url)
        listener = Listener(self._settings, (alarms.CHANNEL,), "alarms-mqtt-listen")
        self._client.connect_async(address.hostname or "127.0.0.1", address.port or 1883)
        self._client.loop_start()
        try:
            while not self._stopping.is_set():
                try:
                    with connect(self._settings, "alarms-mqtt") as conn:
                        if self._leads(conn):
                            self._again.set()
                            self._serve(conn, listener)
                except (UnavailableError, psycopg.OperationalError, psycopg.InterfaceError) as error:
                    log.warning("database: %s", str(error).strip().split("\n")[0])
                except NotAcknowledgedError:
                    log.warning("the broker does not acknowledge; it is tried again")
                except Exception:
                    # What nobody foresaw must not end it for good; the position has not moved.
                    log.exception("alarms over MQTT failed; it goes on")
                self._stopping.wait(RETRY)
        finally:
            listener.close()
            self._client.disconnect()
            self._client.loop_stop()

    def _made(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, "tram-alarms", protocol=paho.MQTTv311)
        address = urlsplit(self._settings.mqtt_url)
        if address.username:
            client.username_pw_set(unquote(address.username), unquote(address.password or ""))
        if address.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context(cafile=self._settings.mqtt_ca or None))
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._connected
        return client

    def _connected(self, client: paho.Client, *_: Any) -> None:
        self._again.set()

    def _leads(self, conn: Connection) -> bool:
        with available():
            row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
            conn.commit()
        return bool(row and row[0])

    def _serve(self, conn: Connection, listener: Listener) -> None:
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
                listener.wait(WAIT)

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
                raise NotAcknowledgedError from None
            if not one.is_published():
                raise NotAcknowledgedError
