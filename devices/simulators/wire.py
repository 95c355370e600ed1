"""MQTT 3.1.1 (OASIS 2014) as bytes, as much of it as a publisher needs. Pure: no socket."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
PACKET_LIMIT = 1_048_576
"""Largest packet that is read from the broker."""


class Address(NamedTuple):
    """Where a broker is."""

    host: str
    port: int
    tls: bool
    username: str
    password: str


def address_of(url: str) -> Address:
    """Reads `mqtt[s]://[user:password@]host[:port]`. Raises ValueError, without the password in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/"):
        raise ValueError("an MQTT address is mqtt[s]://[user:password@]host[:port]")
    tls = parts.scheme == "mqtts"
    port = parts.port or (8883 if tls else 1883)
    return Address(parts.hostname, port, tls, unquote(parts.username or ""), unquote(parts.password or ""))


def _length(size: int) -> bytes:
    """Section 2.2.3: seven bits a byte."""
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(out)


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def connect(client_id: str, address: Address, keepalive: int) -> bytes:
    """CONNECT with a clean session (section 3.1)."""
    flags, tail = 0x02, b""
    if address.username:
        flags, tail = flags | 0x80, _text(address.username)
        if address.password:
            flags, tail = flags | 0x40, tail + _text(address.password)
    body = _text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big") + _text(client_id) + tail
    return b"\x10" + _length(len(body)) + body


def publish(topic: str, payload: bytes, packet_id: int, retain: bool = False) -> bytes:
    """PUBLISH at QoS 1 (section 3.3)."""
    name = topic.encode()
    size = len(name) + len(payload) + 4
    return b"".join(
        (b"\x33" if retain else b"\x32", _length(size), len(name).to_bytes(2, "big"), name,
         packet_id.to_bytes(2, "big"), payload)
    )  # fmt: skip


def subscribe(topic_filter: str, packet_id: int) -> bytes:
    """SUBSCRIBE to one filter at QoS 0 (section 3.8)."""
    body = packet_id.to_bytes(2, "big") + _text(topic_filter) + b"\x00"
    return b"\x82" + _length(len(body)) + body


def packets(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Takes whole packets off the front of a buffer: (type, flags, body).

    Raises:
        ValueError: what stands there is no MQTT packet, or too large a one.
    """
    while len(buffer) >= 2:
        size = shift = 0
        at = 1
        while True:
            if at >= len(buffer):
                return
            digit = buffer[at]
            size |= (digit & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not digit & 0x80:
                break
            if shift > 21:
                raise ValueError("a length of more than four bytes")
        if size > PACKET_LIMIT:
            raise ValueError(f"a packet of {size} bytes")
        if len(buffer) < at + size:
            return
        kind, body = buffer[0], bytes(buffer[at : at + size])
        del buffer[: at + size]
        yield kind >> 4, kind & 0x0F, body


def message(flags: int, body: bytes) -> tuple[str, bytes]:
    """(topic, payload) of a PUBLISH that was received."""
    size = int.from_bytes(body[:2], "big")
    start = 2 + size + (2 if flags & 0x06 else 0)
    return body[2 : 2 + size].decode("utf-8", "replace"), body[start:]
