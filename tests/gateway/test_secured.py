"""TLS and a password, on a real broker that asks for both."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.publish as once
import pytest

from gateway.mqtt import Address, parse_url
from tests.databases import Database
from tests.servers import mosquitto
from tests.servers.certificates import certificate
from tests.servers.gateway import Gateway, wait_until
from tram.errors import SettingsError

USER, PASSWORD = "gateway", "a/p@ss word"


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[mosquitto.Mosquitto]:
    if mosquitto.find() is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    cert = certificate(tmp_path)
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), USER, PASSWORD], check=True)
    made = mosquitto.Mosquitto(
        tmp_path / "mosquitto",
        {
            "certfile": str(cert), "keyfile": str(tmp_path / "key.pem"), "allow_anonymous": "false",
            "password_file": str(passwords),
        },
    )  # fmt: skip
    made.start()
    yield made
    made.stop()


def test_over_tls_with_a_password(tmp_path: Path, one_database: Database, secured: mosquitto.Mosquitto) -> None:
    url = f"mqtts://{USER}:a%2Fp%40ss%20word@localhost:{secured.port}"
    cert = tmp_path / "cert.pem"
    gateway = Gateway(tmp_path / "gateway", one_database.url, url, mqtt_ca=cert)
    gateway.start()
    now = int(time.time() * 1000)
    messages = [
        {"topic": "tram/v1/d/telemetry", "payload": json.dumps({"ts": now + i, "pm2_5": i}), "qos": 1}
        for i in range(500)
    ]
    messages.append({"topic": "tram/v1/d/telemetry", "payload": b" " * 200_000 + b'{"pm10": 1}', "qos": 1})
    once.multiple(
        messages, "localhost", secured.port, auth={"username": USER, "password": PASSWORD}, tls={"ca_certs": str(cert)}
    )
    try:
        wait_until(lambda: gateway.metrics()["tram_gateway_stored_rows_total"] == 501, 60, "all are stored")
    finally:
        assert gateway.stop() == 0


def test_a_wrong_password_is_said(tmp_path: Path, one_database: Database, secured: mosquitto.Mosquitto) -> None:
    url = f"mqtts://{USER}:wrong@localhost:{secured.port}"
    gateway = Gateway(tmp_path / "gateway", one_database.url, url, mqtt_ca=tmp_path / "cert.pem")
    gateway.start(ready=False)
    try:
        wait_until(
            lambda: "refuses" in gateway.readyz()[1]["reasons"].get("broker", ""), 10, "the refusal is the reason", 0.01
        )
        assert "wrong" not in gateway.log.read_text()
    finally:
        gateway.kill()


def test_an_unknown_authority_is_not_trusted(
    tmp_path: Path, one_database: Database, secured: mosquitto.Mosquitto
) -> None:
    gateway = Gateway(tmp_path / "gateway", one_database.url, f"mqtts://{USER}:x@localhost:{secured.port}")
    gateway.start(ready=False)
    try:
        wait_until(
            lambda: "certificate verify failed" in gateway.readyz()[1]["reasons"].get("broker", ""),
            10,
            "it does not connect",
        )
    finally:
        gateway.kill()


def test_addresses() -> None:
    assert parse_url("mqtt://h") == Address("h", 1883, False, None, None)
    assert parse_url("mqtts://u:p%40@h") == Address("h", 8883, True, "u", "p@")
    assert parse_url("mqtt://[::1]:7") == Address("::1", 7, False, None, None)
    for wrong in ("", "h:1883", "http://h", "mqtt://", "mqtt://h:port", "mqtt://u:secret@h:99999"):
        with pytest.raises(SettingsError) as error:
            parse_url(wrong)
        assert "secret" not in str(error.value)
