"""What a participant is shown: one Downlink a slot. Its source may change at any keyframe; the stream goes on as one.

Layer.watchers -> Downlink.push -> Rewriter -> Header.build -> Wire
                               \\-> history, for retransmission (RFC 4588)
"""

import random
import struct
import time

from telehealth.media.inbound import Layer
from telehealth.media.losses import Losses
from telehealth.media.negotiation import codec_key, repairs, type_of
from telehealth.media.private import (
    Line,
    RtcpReceiverInfo,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    Wire,
)
from telehealth.media.rewrite import Rewriter
from telehealth.media.rtp import Header, Packet, abs_send_time
from telehealth.media.sendclock import ntp

HISTORY = 512
"""Sent packets kept for retransmission: two seconds of 1.5 Mbit/s."""
_U16 = struct.Struct("!H")


class Downlink:
    """One slot towards one viewer."""

    def __init__(self, line: Line, wire: Wire, cname: str, index: int) -> None:
        self.mid = line.mid
        self.kind = line.kind
        self.index = index
        self.wire = wire
        self.ssrc = line.ssrc
        self._rtx_ssrc = line.rtx_ssrc
        self._cname = cname.encode()
        rate = next((c.clockRate for c in line.codecs), 90_000)
        self._rate = rate
        self._types = {codec_key(c): type_of(c) for c in line.codecs if c.name.lower() != "rtx"}
        self._rtx_types = {of: rtx for rtx, of in repairs(line.codecs).items()}
        self._header = Header(line.mid, {e.uri: e.id for e in line.extensions})
        self._rewriter = Rewriter(rate, random.randrange(1, 0x7FFF))  # noqa: S311 - a number to start at, no secret
        self._rtx_sequence = random.randrange(1, 0x7FFF)  # noqa: S311
        self._history: list[tuple[int, int, Packet] | None] = [None] * HISTORY
        self.layer: Layer | None = None
        self.wanted: Layer | None = None
        self._source_ssrc: int | None = None
        self._reported = False
        self.packets = 0
        self.bytes = 0
        self.retransmitted = 0
        self.losses = Losses()
        """Share lost by the viewer's reports."""
        self.jitter_ms = 0.0
        self.round_trip: float | None = None

    @property
    def source(self) -> Layer | None:
        """What is shown, or will be with the next keyframe."""
        return self.wanted or self.layer

    def show(self, layer: Layer | None, now: float, most_burst: int = 150_000) -> None:
        """Changes what this slot carries.

        Sound and nothing change at once; a picture goes on with the old source until the new one's keyframe, which
        comes from its group of pictures when that is recent and smaller than `most_burst` bytes, else it is asked for.
        """
        if layer is self.source:
            if layer is not None and layer is self.wanted:
                layer.request_keyframe(now)  # the request or the keyframe may have been lost on the way
            return
        if self.wanted is not None and self.wanted is not self.layer:
            self.wanted.watchers.remove(self)
        self.wanted = None
        if layer is None:
            if self.layer is not None:
                self.layer.watchers.remove(self)
            self.layer = None
            self._source_ssrc = None
            self.losses = Losses()  # of what comes when it is shown again nothing is known yet
            return
        if layer is self.layer:
            return
        layer.watchers.append(self)
        self.wanted = layer
        if self.kind == "video":
            self.prime(now, most_burst)

    def prime(self, now: float, most_burst: int) -> None:
        """Plays the group of pictures of the wanted layer, or asks for a keyframe."""
        layer = self.wanted
        if layer is None:
            return
        group = layer.gop.since_keyframe(most_burst, now) if self.wire.connected else []
        if group:
            send_time = abs_send_time(time.time())
            for n, packet in enumerate(group):
                key = layer.uplink.key_of(packet.payload_type)
                if key is not None:
                    self.push(layer, packet, key, n == 0, now, send_time)
        else:
            layer.request_keyframe(now)

    def push(self, layer: Layer, packet: Packet, codec: str, keyframe: bool, now: float, send_time: bytes) -> None:
        """One packet of a layer this slot watches."""
        if layer is not self.layer:
            if layer is not self.wanted or not keyframe or not self.wire.connected:
                return
            same = self.layer is not None and self.layer.uplink is layer.uplink and self.layer.ssrc == packet.ssrc
            if self.layer is not None:
                self.layer.watchers.remove(self)
            self.layer, self.wanted = layer, None
            self._source_ssrc = packet.ssrc
            self._rewriter.switch(packet.sequence, packet.timestamp, now, same_clock=same)
            self._reported = False
        elif packet.ssrc != self._source_ssrc:
            self._source_ssrc = packet.ssrc
            self._rewriter.switch(packet.sequence, packet.timestamp, now, same_clock=False)
            self._reported = False
        payload_type = self._types.get(codec)
        if payload_type is None:
            payload_type = self._similar(codec)
            if payload_type is None:
                return
        mapped = self._rewriter.map(packet.sequence, packet.timestamp, now)
        if mapped is None:
            return
        sequence, timestamp = mapped
        if self.kind == "video":
            self._history[sequence % HISTORY] = (sequence, timestamp, packet)
        data = self._header.build(
            payload_type, packet.marker, sequence, timestamp, self.ssrc, packet.payload, send_time, packet.level
        )
        if self.wire.send_rtp(data):
            self.packets += 1
            self.bytes += len(packet.payload)
            if not self._reported:
                self._reported = self.report(now, layer)

    def _similar(self, codec: str) -> int | None:
        """H.264 differs by level and constraint between browsers; the same profile is close enough to show."""
        if codec.startswith("H264/"):
            for key, payload_type in self._types.items():
                if key.startswith(codec[:7]):
                    return payload_type
        return None

    def can_show(self, layer: Layer) -> bool:
        """Whether the viewer offered a codec of this layer's line."""
        return any(k in self._types or self._similar(k) is not None for k in layer.uplink.codec_keys())

    def resend(self, numbers: list[int], send_time: bytes) -> None:
        """Answers a NACK; what is no longer kept is not answered (the viewer will ask for a keyframe)."""
        for number in numbers[:128]:
            kept = self._history[number % HISTORY]
            if kept is None or kept[0] != number:
                continue
            sequence, timestamp, packet = kept
            payload_type = self._payload_type(packet)
            if payload_type is None:
                continue
            rtx = self._rtx_types.get(payload_type)
            if rtx is None:
                data = self._header.build(
                    payload_type, packet.marker, sequence, timestamp, self.ssrc, packet.payload, send_time
                )
            else:
                self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
                payload = _U16.pack(sequence) + packet.payload
                data = self._header.build(
                    rtx, packet.marker, self._rtx_sequence, timestamp, self._rtx_ssrc, payload, send_time
                )
            if self.wire.send_rtp(data):
                self.retransmitted += 1

    def _payload_type(self, packet: Packet) -> int | None:
        layer = self.layer
        key = layer.uplink.key_of(packet.payload_type) if layer is not None else None
        if key is None:
            return None
        found = self._types.get(key)
        return found if found is not None else self._similar(key)

    def keyframe_wanted(self, now: float) -> None:
        """The viewer asked for a keyframe."""
        source = self.source
        if source is not None:
            source.request_keyframe(now)

    def heard(self, report: RtcpReceiverInfo, unix: float) -> None:
        """The viewer's reception report of this slot."""
        self.losses.report(report.fraction_lost / 256, report.highest_sequence)
        self.jitter_ms = report.jitter * 1000 / self._rate
        if report.lsr:
            middle = (ntp(unix) >> 16) & 0xFFFFFFFF
            trip = ((middle - report.lsr - report.dlsr) & 0xFFFFFFFF) / 65536
            if trip < 60:
                self.round_trip = trip

    def report(self, now: float, layer: Layer | None = None) -> bool:
        """A sender report in the server's clock; False while the source has sent none yet."""
        layer = layer or self.layer
        if layer is None or not self.packets:
            return False
        unix = time.time()
        ticks = layer.clock.at(unix)
        if ticks is None:
            return False
        info = RtcpSenderInfo(
            ntp_timestamp=ntp(unix),
            rtp_timestamp=(ticks + self._rewriter.time_offset) & 0xFFFFFFFF,
            packet_count=self.packets & 0xFFFFFFFF,
            octet_count=self.bytes & 0xFFFFFFFF,
        )
        data = bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=info))
        data += bytes(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=self.ssrc, items=[(1, self._cname)])]))
        return self.wire.send_rtcp(data)

    def close(self) -> None:
        """Shows nothing any more."""
        self.show(None, 0.0)
