"""RTP packets (RFC 3550) with the header extensions a forwarder needs (RFC 8285). Pure; parses untrusted bytes.

aiortc's own parser makes two dataclasses a packet; this one is what keeps a stream at half a per cent of a core.
"""

import struct
from dataclasses import dataclass

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

_WIDE, _LEVEL, _MID, _RID, _REPAIRED = range(5)
_KINDS = {TRANSPORT_CC: _WIDE, AUDIO_LEVEL: _LEVEL, MID: _MID, RID: _RID, REPAIRED_RID: _REPAIRED}
_HEAD = struct.Struct("!BBHLL")
_EXT = struct.Struct("!HH")
_U16 = struct.Struct("!H")


class Packet:
    """One RTP packet. `level` is -dBov 0..127 (RFC 6464); `wide` the transport-wide sequence number."""

    __slots__ = (
        "level", "marker", "mid", "padding", "payload", "payload_type", "repaired", "rid", "sequence", "ssrc",
        "timestamp", "wide",
    )  # fmt: skip

    def __init__(
        self, payload_type: int, marker: int, sequence: int, timestamp: int, ssrc: int, payload: bytes
    ) -> None:
        self.payload_type = payload_type
        self.marker = marker
        self.sequence = sequence
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payload = payload
        self.padding = 0
        self.mid: str | None = None
        self.rid: str | None = None
        self.repaired: str | None = None
        self.level: int | None = None
        self.wide: int | None = None


class Extensions:
    """The ids of the header extensions that one transport negotiated (shared by all its lines: BUNDLE)."""

    __slots__ = ("kinds",)

    def __init__(self) -> None:
        self.kinds: dict[int, int] = {}
        """By id: which of those that are read it is (small numbers: they are compared for every packet)."""

    def learn(self, id: int, uri: str) -> None:
        """One `a=extmap` line."""
        kind = _KINDS.get(uri)
        if kind is None:
            self.kinds.pop(id, None)
        else:
            self.kinds[id] = kind


def parse(data: bytes, extensions: Extensions) -> Packet | None:
    """A packet, or None when these bytes are none (truncated, wrong version, lying lengths)."""
    size = len(data)
    if size < 12:
        return None
    first, second, sequence, timestamp, ssrc = _HEAD.unpack_from(data)
    if first >> 6 != 2:
        return None
    at = 12 + 4 * (first & 15)
    extended = first & 16
    if extended:
        if size < at + 4:
            return None
        profile, words = _EXT.unpack_from(data, at)
        at += 4
        end = at + 4 * words
    else:
        profile, end = 0, at
    if size < end:
        return None
    padding = 0
    if first & 32:
        padding = data[-1]
        if not padding or padding > size - end:
            return None
    packet = Packet(second & 127, second >> 7, sequence, timestamp, ssrc, data[end : size - padding])
    packet.padding = padding
    if extended and not _read(packet, data, at, end, profile, extensions):
        return None
    return packet


def _read(packet: Packet, data: bytes, at: int, end: int, profile: int, extensions: Extensions) -> bool:
    if profile == 0xBEDE:
        two_bytes = False
    elif profile & 0xFFF0 == 0x1000:
        two_bytes = True
    else:
        return True
    kinds = extensions.kinds
    while at < end:
        head = data[at]
        if head == 0:
            at += 1
            continue
        if two_bytes:
            if at + 2 > end:
                return False
            id, length = head, data[at + 1]
            at += 2
        else:
            id, length = head >> 4, (head & 15) + 1
            at += 1
            if id == 15:  # RFC 8285 section 4.2: stop here
                return True
        if at + length > end:
            return False
        kind = kinds.get(id)
        if kind == _WIDE:
            if length >= 2:
                packet.wide = data[at] << 8 | data[at + 1]
        elif kind == _LEVEL:
            if length >= 1:
                packet.level = data[at] & 127
        elif kind is not None:
            text = data[at : at + length].decode("ascii", "replace")
            if kind == _MID:
                packet.mid = text
            elif kind == _RID:
                packet.rid = text
            else:
                packet.repaired = text
        at += length
    return True


def unwrap_rtx(packet: Packet, payload_type: int, ssrc: int) -> Packet | None:
    """The packet inside a retransmission (RFC 4588), or None when it holds none (padding that probes the link)."""
    if len(packet.payload) < 2:
        return None
    original = Packet(
        payload_type, packet.marker, _U16.unpack_from(packet.payload)[0], packet.timestamp, ssrc, packet.payload[2:]
    )
    original.level = packet.level
    return original


@dataclass(slots=True)
class Header:
    """Builds the packets of one outgoing stream: the extension block is made once, but for what changes.

    Args:
        mid: the line's.
        ids: id by URI of what was negotiated for the line.
    """

    mid: str
    ids: dict[str, int]

    def __post_init__(self) -> None:
        mid = self.mid.encode("ascii")
        self._mid = bytes([self.ids[MID] << 4 | (len(mid) - 1)]) + mid if MID in self.ids else b""
        self._time = bytes([self.ids[ABS_SEND_TIME] << 4 | 2]) if ABS_SEND_TIME in self.ids else b""
        self._level = bytes([self.ids[AUDIO_LEVEL] << 4]) if AUDIO_LEVEL in self.ids else b""
        if self._time:
            # Nearly every packet: all but the time stands.
            size = len(self._mid) + 4
            self._front = _EXT.pack(0xBEDE, (size + 3) >> 2) + self._mid + self._time
            self._back = bytes(-size % 4)

    _mid: bytes = b""
    _time: bytes = b""
    _level: bytes = b""
    _front: bytes = b""
    _back: bytes = b""

    def build(
        self, payload_type: int, marker: int, sequence: int, timestamp: int, ssrc: int, payload: bytes,
        send_time: bytes, level: int | None = None,
    ) -> bytes:  # fmt: skip
        """The whole packet. `send_time`: three bytes of 6.18 fixed-point seconds."""
        if level is None and self._front:
            head = _HEAD.pack(0x90, marker << 7 | payload_type, sequence, timestamp, ssrc)
            return b"".join((head, self._front, send_time, self._back, payload))
        block = self._mid
        if self._time:
            block += self._time + send_time
        if level is not None and self._level:
            block += self._level + bytes((level,))
        if not block:
            return _HEAD.pack(0x80, marker << 7 | payload_type, sequence, timestamp, ssrc) + payload
        words = (len(block) + 3) >> 2
        return b"".join(
            (
                _HEAD.pack(0x90, marker << 7 | payload_type, sequence, timestamp, ssrc),
                _EXT.pack(0xBEDE, words),
                block.ljust(words << 2, b"\0"),
                payload,
            )
        )


def abs_send_time(unix: float) -> bytes:
    """Three bytes: NTP seconds as 6.18 fixed point (draft-alvestrand-rmcat-remb)."""
    return (int((unix + 2_208_988_800) * 262_144) & 0xFFFFFF).to_bytes(3, "big")


def ahead(a: int, b: int) -> bool:
    """Whether sequence number a is newer than b (RFC 1982, 16 bits)."""
    return a != b and (a - b) & 0xFFFF < 0x8000
