"""The framer: any split of a stream gives what the whole stream gives, and garbage never gives an exception but one."""

import paho.mqtt.client as paho
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from gateway.framing import KEPT_OF_OVERSIZED, LARGEST_HEAD, Chunk, Framer, MalformedPacketError

LIMIT = 200


def length(n: int) -> bytes:
    out = bytearray()
    while True:
        n, low = n >> 7, n & 127
        out.append(low | (128 if n else 0))
        if not n:
            return bytes(out)


def publish(
    topic: bytes, payload: bytes, *, qos: int = 1, mid: int = 1, retain: bool = False, dup: bool = False
) -> bytes:
    head = 0x30 | qos << 1 | retain | dup << 3
    body = len(topic).to_bytes(2) + topic + (mid.to_bytes(2) if qos else b"") + payload
    return bytes([head]) + length(len(body)) + body


def frame(pieces: list[bytes], limit: int = LIMIT) -> tuple[Chunk, list[tuple[int, bytes]]]:
    framer, others = Framer(limit), list[tuple[int, bytes]]()
    for piece in pieces:
        framer.feed(piece, lambda head, body: others.append((head, body)))
    chunk = framer.take()
    chunk.size = 0  # of what is read, not of what it says
    return chunk, others


packets = st.one_of(
    st.builds(
        publish, st.binary(max_size=40), st.binary(max_size=300), qos=st.sampled_from([0, 1, 1, 1, 2]),
        mid=st.integers(1, 65535), retain=st.booleans(), dup=st.booleans(),
    ),
    st.sampled_from([b"\xd0\x00", b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01", b"\x62\x02\x00\x07"]),
    st.builds(lambda n: publish(b"big", b"x" * n), st.integers(LARGEST_HEAD, LARGEST_HEAD + 5000)),
)  # fmt: skip


@given(st.lists(packets, max_size=12), st.data())
@settings(max_examples=300, deadline=None)
def test_any_split_gives_the_same(stream: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert frame(pieces) == frame([whole])


@given(st.lists(packets, max_size=3))
@settings(max_examples=30, deadline=None)
def test_byte_by_byte(stream: list[bytes]) -> None:
    whole = b"".join(p for p in stream if len(p) < 5000)
    assert frame([whole[i : i + 1] for i in range(len(whole))]) == frame([whole])


@given(st.lists(st.binary(max_size=400), max_size=20))
@example([b"\x32\x00"])
@example([b"\x32\x02\xff\xff"])
@example([b"\x36\x05\x00\x01a\x00\x01"])
@settings(max_examples=500, deadline=None)
def test_garbage_is_refused_or_framed(pieces: list[bytes]) -> None:
    try:
        chunk, _ = frame(pieces)
    except MalformedPacketError:
        return
    assert len(chunk.topics) == len(chunk.mids) == len(chunk.payloads)


@given(st.lists(packets.filter(lambda p: len(p) < 5000), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_agrees_with_paho(stream: list[bytes]) -> None:
    """paho's own parser is the oracle of topics and payloads."""
    heard: list[tuple[bytes, bytes, int, bool]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311, manual_ack=True)
    client._handle_on_message = lambda m: heard.append((m._topic, bytes(m.payload), m.mid, m.retain))  # type: ignore[method-assign]
    mine = []
    for packet in stream:
        chunk, _ = frame([packet])
        if packet[0] & 0xF0 == 0x30 and packet[0] & 6 != 4 and len(chunk.topics[0]):
            client._in_packet["command"] = packet[0]
            client._in_packet["packet"] = bytearray(packet[2 if packet[1] < 128 else 3 :])
            client._handle_publish()
            mine.append((chunk.topics[0], chunk.payloads[0], int.from_bytes(chunk.mids[0]), bool(chunk.retained)))
    assert mine == heard


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"\x32\xff\xff\xff\xff\x01", "four bytes"),
        (b"\x36\x07\x00\x01t\x00\x01xx", "QoS 3"),
        (b"\x32\x03\x00\x01t", "cut short"),
        (b"\x32\x01\x00\xc0\x00", "cut short"),
        (b"\x30\x00\xc0\x00", "cut short"),
        (b"\x30\x01\x00", "cut short"),
        (b"\x90" + length(LIMIT + LARGEST_HEAD + 1), "a packet of type 9"),
    ],
)
def test_malformed(stream: bytes, why: str) -> None:
    with pytest.raises(MalformedPacketError, match=why):
        frame([stream])


def test_an_oversized_message_costs_its_beginning_only() -> None:
    """Of 64 MB in pieces no more than the kept part, and a packet after it is framed as ever."""
    size = 64 << 20
    head = publish(b"t", b"")[2:]  # without its own length
    framer = Framer(LIMIT)
    framer.feed(b"\x32" + length(len(head) + size) + head + b"x" * 100, lambda *_: None)
    sent = 100
    while sent < size:
        piece = min(1 << 20, size - sent)
        framer.feed(b"x" * piece, lambda *_: None)
        sent += piece
        assert framer.chunk.size < 3 << 20
    framer.feed(publish(b"after", b"1", mid=2), lambda *_: None)
    chunk = framer.take()
    assert chunk.oversized == {0: size}
    assert [len(p) for p in chunk.payloads] == [KEPT_OF_OVERSIZED, 1]
    assert chunk.acknowledgements() == b"\x40\x02\x00\x01\x40\x02\x00\x02"


def test_acknowledgements_are_in_order_and_of_the_right_kind() -> None:
    stream = publish(b"a", b"", mid=1) + publish(b"b", b"", qos=0) + publish(b"c", b"", qos=2, mid=2)
    chunk, _ = frame([stream + publish(b"d", b"", mid=3, retain=True)])
    assert chunk.acknowledgements() == b"\x40\x02\x00\x01\x50\x02\x00\x02\x40\x02\x00\x03"
    assert chunk.retained == {3}
    assert Chunk().acknowledgements() == b""
