"""The worker's clients of the broker: address, account and TLS of TRAM_MQTT_URL and TRAM_MQTT_CA in one place."""

import ssl
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tram.settings import Settings


def client(settings: Settings, name: str, *, clean: bool = True, manual_ack: bool = False) -> paho.Client:
    """An MQTT 3.1.1 client of this id, not connected yet; it comes back by itself, 1 to 30 s apart."""
    made = paho.Client(
        CallbackAPIVersion.VERSION2, name, clean_session=clean, protocol=paho.MQTTv311, manual_ack=manual_ack
    )
    address = urlsplit(settings.mqtt_url)
    if address.username:
        made.username_pw_set(unquote(address.username), unquote(address.password or ""))
    if address.scheme == "mqtts":
        made.tls_set_context(ssl.create_default_context(cafile=settings.mqtt_ca or None))
    made.reconnect_delay_set(1, 30)
    return made


def begin(made: paho.Client, settings: Settings) -> None:
    """Connects in a thread of the client's own, now or when the broker is there."""
    address = urlsplit(settings.mqtt_url)
    made.connect_async(address.hostname or "127.0.0.1", address.port or 1883)
    made.loop_start()


def end(made: paho.Client) -> None:
    """Says goodbye to the broker and ends the client's thread."""
    made.disconnect()
    made.loop_stop()
