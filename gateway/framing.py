"""MQTT 3.1.1 packets out of a stream of bytes: no socket, no clock, any split of the stream gives the same packets.

Nearly all traffic is PUBLISH at QoS 1, so those go by column (topics, mids, payloads) into a `Chunk`, in one tight loop
that makes three bytes objects a message and nothing the garbage collector has to look at. Everything else is handed
over whole, as (first byte, body).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

LARGEST_HEAD = 2 + 65_535 + 2
"""Bytes of a PUBLISH body before its payload, at most: topic length, topic, packet identifier."""

KEPT_OF_OVERSIZED = 1024
"""Payload bytes kept of a PUBLISH that is too large to take in: enough to see in the dead letters what it was."""

PUBACK = b"\x40\x02"
PUBREC = b"\x50\x02"


class MalformedPacketError(Exception):
    """The stream is not MQTT 3.1.1: the connection must be closed [MQTT-4.8.0-1]."""


@dataclass(slots=True)
class Chunk:
    """The messages of one read, by column, in order of receipt.

    Attributes:
        mids: the two bytes of the packet identifier; empty at QoS 0.
        received: microseconds; message i was received at `received + i`, so that no two messages share a time.
        generation: the connection they came by; an acknowledgement is only sent to that one.
        size: bytes read, the measure of `buffer_bytes`.
        retained: indices of retained messages (an old value sent because of the subscription, not because it is new).
        exactly_once: indices of QoS 2 messages, whose acknowledgement is a PUBREC.
        oversized: index -> the payload's true length, where only its beginning was kept.
    """

    topics: list[bytes] = field(default_factory=list)
    mids: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    received: int = 0
    generation: int = 0
    size: int = 0
    retained: set[int] = field(default_factory=set)
    exactly_once: set[int] = field(default_factory=set)
    oversized: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.topics)

    def acknowledgements(self) -> bytes:
        """One PUBACK (or PUBREC) a message, in order of receipt [MQTT-4.6.0-2], joined for one send."""
        mids = self.mids
        if not self.exactly_once and b"" not in mids:
            return PUBACK + PUBACK.join(mids) if mids else b""
        parts = [(PUBREC if i in self.exactly_once else PUBACK) + mid for i, mid in enumerate(mids) if mid]
        return b"".join(parts)


class Framer:
    """Cuts a stream into packets. `feed` it what was read; `take` the chunk that came together.

    Args:
        payload_limit: a PUBLISH whose payload is certainly larger is not taken in: its beginning is kept, the rest is
            dropped as it arrives, so one message never costs more memory than this.
        other: called with (first byte, body) of every packet that is not a PUBLISH, in order.
    """

    def __init__(self, payload_limit: int) -> None:
        self._limit = payload_limit + LARGEST_HEAD
        self._parts: list[bytes] = []
        self._held = 0  # bytes in _parts
        self._need = 2  # no packet can be complete before that many bytes are held
        self._drop = 0  # bytes of an oversized payload still to come
        self.chunk = Chunk()

    def feed(self, data: bytes, other: Callable[[int, bytes], None]) -> None:
        """Takes in what was read.

        Raises:
            MalformedPacketError: what came is not MQTT; nothing more can be read from this connection.
        """
        if self._drop:
            dropped = min(self._drop, len(data))
            self._drop -= dropped
            data = data[dropped:]
            if not data:
                return
        self.chunk.size += len(data)
        self._parts.append(data)
        self._held += len(data)
        if self._held < self._need:
            return
        if len(self._parts) > 1:
            data = b"".join(self._parts)
        used, self._need = _scan(data, self.chunk, other, self._limit)
        if used > len(data):
            self._drop = used - len(data)
            self._need = 2
        rest = data[used:]
        self._parts = [rest] if rest else []
        self._held = len(rest)

    def take(self) -> Chunk:
        """The messages since the last call; the framer goes on with an empty chunk."""
        chunk, self.chunk = self.chunk, Chunk()
        return chunk


def _scan(b: bytes, chunk: Chunk, other: Callable[[int, bytes], None], limit: int) -> tuple[int, int]:
    """Frames the whole packets of b.

    Returns the used length (past the end of b when the rest of an oversized PUBLISH is yet to come), and how many bytes
    must be held before the next packet can be complete.
    """
    n, i = len(b), 0
    topic, mid, payload = chunk.topics.append, chunk.mids.append, chunk.payloads.append
    while n - i >= 2:
        head, length, p = b[i], b[i + 1], i + 2
        if length > 127:  # remaining length, up to four bytes of seven bits: MQTT 3.1.1 section 2.2.3
            length &= 127
            for shift in (7, 14, 21):
                if p == n:
                    return i, n - i + 1
                more = b[p]
                p += 1
                length |= (more & 127) << shift
                if more < 128:
                    break
            else:
                raise MalformedPacketError("remaining length of more than four bytes")
        end = p + length
        if length > limit:
            if head & 0xF0 != 0x30:
                raise MalformedPacketError(f"a packet of type {head >> 4} with {length} bytes")
            beginning = p + LARGEST_HEAD + KEPT_OF_OVERSIZED
            if beginning > n and end > n:
                return i, min(beginning, end) - i
            _oversized(head, b, p, end, chunk)
        elif end > n:
            return i, end - i
        elif head & 0xF7 == 0x32:  # PUBLISH, QoS 1, not retained; DUP makes no difference: the store knows duplicates
            t = p + 2
            try:
                t += b[p] << 8 | b[p + 1]
            except IndexError:
                raise MalformedPacketError("a PUBLISH without a topic") from None
            if t + 2 > end:
                raise MalformedPacketError("a PUBLISH cut short")
            topic(b[p + 2 : t])
            mid(b[t : t + 2])
            payload(b[t + 2 : end])
        elif head & 0xF0 == 0x30:
            _publish(head, b, p, end, chunk)
        else:
            other(head, b[p:end])
        i = end
    return i, 2


def _publish(head: int, b: bytes, p: int, end: int, chunk: Chunk) -> None:
    """The rarer PUBLISH: QoS 0, QoS 2, retained."""
    qos = head >> 1 & 3
    t = p + 2 + int.from_bytes(b[p : p + 2])
    start = t + 2 if qos else t
    if qos == 3 or end < p + 2 or start > end:
        raise MalformedPacketError("a PUBLISH of QoS 3" if qos == 3 else "a PUBLISH cut short")
    index = len(chunk)
    if head & 1:
        chunk.retained.add(index)
    if qos == 2:
        chunk.exactly_once.add(index)
    chunk.topics.append(b[p + 2 : t])
    chunk.mids.append(b[t:start])
    chunk.payloads.append(b[start:end])


def _oversized(head: int, b: bytes, p: int, end: int, chunk: Chunk) -> None:
    start = p + 2 + int.from_bytes(b[p : p + 2]) + (2 if head & 6 else 0)
    chunk.oversized[len(chunk)] = end - start
    _publish(head, b, p, start + KEPT_OF_OVERSIZED, chunk)
