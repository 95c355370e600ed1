"""The simulated province as a process, at a real broker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.simulators import wire
from devices.simulators.line import QUEUE_LIMIT, Line
from devices.simulators.run import ask
from tests.devices.conftest import Ear
from tests.servers.mosquitto import Mosquitto
from tests.waiting import until
from tram.embedded.ports import free_port

Listen = Callable[[str], Ear]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
        environ |= {"PYTHONPATH": str(Path.cwd()), "TRAM_HOME": str(tmp_path / "home")}
        command = [sys.executable, "-m", "devices.simulators", *arguments]
        made.append(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return made[-1]

    yield run
    for process in made:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def streams(ear: Ear) -> set[tuple[str, str]]:
    return {(topic, name) for topic, payload, _ in list(ear.heard) for name in json.loads(payload) if name != "ts"}


def test_fills_and_ends(broker: Mosquitto, ear: Listen, start: Start) -> None:
    """All Datastreams within 30 s (but those of silent Things); a scenario on request; a clean end on SIGTERM."""
    listening = ear("tram/v1/+/telemetry")
    process = start("--mqtt", broker.url)
    until(lambda: len(listening.heard) > 20, "the province speaks")
    answer = asyncio.run(ask(broker.url, "jam", "start", 600, 10.0))
    assert answer == {"ok": True, "scenarios": ["jam"]}
    refused = asyncio.run(ask(broker.url, "earthquake", "start", 600, 10.0))
    assert refused is not None
    assert refused["ok"] is False
    assert "flood" in refused["error"]
    switched = start("--mqtt", broker.url, "--stop", "all")
    assert switched.wait(60) == 0
    until(lambda: len(streams(listening)) >= 2000, "2,000 Datastreams speak")
    states = ear("tram/v1/+/state")
    until(lambda: len(states.heard) >= 600, "600 devices tell their state")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_once(broker: Mosquitto, ear: Listen, start: Start) -> None:
    listening = ear("tram/v1/+/telemetry")
    assert start("--mqtt", broker.url, "--once").wait(60) == 0
    assert len(streams(listening)) >= 2000


def test_storm_of_reconnects_loses_nothing(broker: Mosquitto, ear: Listen, start: Start) -> None:
    """48 connections are cut together, again and again; what was said in between arrives."""
    listening = ear("tram/v1/+/telemetry")
    process = start("--mqtt", broker.url, "--scenario", "storm-of-reconnects", "--for", "10", "--duration", "14")
    assert process.wait(60) == 0
    log = process.communicate()[1]
    assert "Traceback" not in log
    by_thing: dict[str, list[int]] = {}
    for topic, payload, _ in listening.heard:
        by_thing.setdefault(topic, []).append(json.loads(payload)["ts"])
    # A Thing that speaks every 15 s: never more than a period without a word, once it has begun.
    fast = [sorted(set(stamps)) for topic, stamps in by_thing.items() if topic.startswith("tram/v1/noise-")]
    assert len(fast) >= 15
    assert all(b - a <= 15_100 for stamps in fast for a, b in pairwise(stamps))


def test_rate(broker: Mosquitto, ear: Listen, start: Start) -> None:
    listening = ear("tram/v1/+/telemetry")
    process = start("--mqtt", broker.url, "--rate", "2000", "--duration", "4")
    assert process.wait(60) == 0
    until(lambda: len(listening.heard) > 5000, "5,000 messages are heard")
    keys = [(topic, json.loads(payload)["ts"]) for topic, payload, _ in list(listening.heard)]
    assert len(set(keys)) == len(keys)


def test_no_broker(start: Start) -> None:
    process = start()
    assert process.wait(60) == 2
    message = process.communicate()[1]
    assert message.count("\n") == 1
    assert "TRAM_MQTT_URL" in message
    waiting = start("--mqtt", f"mqtt://127.0.0.1:{free_port()}", "--duration", "2")
    assert waiting.wait(60) == 0


def test_broker_restarts(broker: Mosquitto, ear: Listen, start: Start) -> None:
    listening = ear("tram/v1/+/telemetry")
    start("--mqtt", broker.url, "--rate", "200")
    until(lambda: len(listening.heard) > 200, "200 messages are heard")
    broker.stop()
    broker.start()
    heard = len(listening.heard)
    until(lambda: len(listening.heard) > heard + 400, "400 more messages are heard")


def test_queue_is_bounded() -> None:
    line = Line("mqtt://127.0.0.1:1", "x")
    for i in range(QUEUE_LIMIT + 5):
        line.put("t", str(i).encode())
    assert line.waiting == QUEUE_LIMIT
    assert line.dropped == 5


def test_list(start: Start) -> None:
    process = start("--list")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[-1] == "625 Things, 2153 Datastreams"


@given(data=st.binary(max_size=60))
def test_any_bytes_from_the_broker(data: bytes) -> None:
    buffer = bytearray(data)
    try:
        for kind, flags, body in wire.packets(buffer):
            assert 0 <= kind <= 15
            if kind == wire.PUBLISH:
                wire.message(flags, body)
    except ValueError:
        pass


@given(topic=st.text(max_size=300), payload=st.binary(max_size=20_000), retain=st.booleans())
def test_publish_reads_back(topic: str, payload: bytes, retain: bool) -> None:
    buffer = bytearray(wire.publish(topic, payload, 7, retain) + wire.PINGREQ)
    (kind, flags, body), (ping, _, _) = wire.packets(buffer)
    assert (kind, flags & 1, ping) == (wire.PUBLISH, retain, 12)
    assert wire.message(flags, body) == (topic, payload)
    assert not buffer


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "mqtt://x/y"])
def test_wrong_address(url: str) -> None:
    with pytest.raises(ValueError):
        wire.address_of(url)


def test_address() -> None:
    assert wire.address_of("mqtts://a:b%40c@h") == ("h", 8883, True, "a", "b@c")
    assert wire.address_of("mqtt://127.0.0.1:77") == ("127.0.0.1", 77, False, "", "")
