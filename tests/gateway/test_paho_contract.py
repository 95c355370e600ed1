"""Every private name of paho that gateway/mqtt.py relies on: what it is, and that paho still calls or reads it.

paho is pinned exactly; when it moves, these tests say what of it has moved (docs/adr/0030).
"""

import inspect
import re
from importlib.metadata import version
from pathlib import Path

import paho.mqtt.client as paho

import gateway.mqtt

SOURCE = Path(gateway.mqtt.__file__).read_text(encoding="utf-8")
USED = {
    "_sock", "_ssl", "_thread", "_ping_t", "_in_packet", "_msgtime_mutex", "_last_bytes_received", "_sock_recv",
    "_loop_rc_handle", "_packet_handle", "_packet_queue",
}  # fmt: skip


def source(name: str) -> str:
    return inspect.getsource(getattr(paho.Client, name))


def test_the_list_is_complete() -> None:
    own = set(re.findall(r"def (_[a-z]\w+)", SOURCE)) | set(re.findall(r"self\.(_\w+)(?::[^=\n]+)? = ", SOURCE))
    touched = set(re.findall(r"self\.(_[a-z]\w+)", SOURCE))
    paho_names = set(re.findall(r"self\.(_\w+)", inspect.getsource(paho.Client)))
    assert touched & paho_names == USED
    # None of our own attributes hides one of paho's by accident; these are set on purpose.
    assert own & paho_names == {"_ping_t", "_in_packet", "_last_bytes_received"}


def test_the_pin() -> None:
    assert version("paho-mqtt") == "2.2.0"


def test_the_loop_reads_by_loop_read_and_then_looks_after_the_rest() -> None:
    loop = source("_loop")
    assert loop.index("self.loop_read()") < loop.index("self.loop_write()") < loop.index("self.loop_misc()")
    assert "self._loop(timeout)" in source("loop_forever")
    assert "self.reconnect()" in source("loop_forever")


def test_a_new_connection_empties_the_queue_before_it_opens() -> None:
    text = source("reconnect")
    assert text.index("self._out_packet.clear()") < text.index("self._create_socket()") < text.index("_send_connect")


def test_queued_packets_are_written_as_they_are_by_the_loop() -> None:
    text = source("_packet_queue")
    assert "self._out_packet.append(mpkt)" in text
    assert "self._thread is None" in text  # with a thread of its own, the caller never writes
    assert list(inspect.signature(paho.Client._packet_queue).parameters)[1:5] == ["command", "packet", "mid", "qos"]
    assert "packet['packet'][packet['pos']:]" in source("_packet_write")


def test_a_packet_is_handled_from_in_packet() -> None:
    assert "self._in_packet['command'] & 0xF0" in source("_packet_handle")
    keys = set(re.findall(r'"(\w+)":', source("reconnect").split("self._in_packet = {")[1].split("}")[0]))
    mine = set(re.findall(r'"(\w+)":', SOURCE.split("self._in_packet = {")[1].split("}")[0]))
    assert mine == keys


def test_keep_alive_reads_what_we_set() -> None:
    assert "self._last_bytes_received" in source("_check_keepalive")
    assert "self._ping_t" in source("loop_misc")
    assert "self._check_keepalive()" in source("loop_misc")


def test_attributes_are_there() -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    for name in USED:
        assert hasattr(client, name), name
    assert client._ssl is False
    assert client._sock is None
    assert client._thread is None
