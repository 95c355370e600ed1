"""What a participant sends: one Uplink a media line, one Layer a picture size of it.

packet -> Uplink.take -> Layer: gaps (NACK), group of pictures -> every Downlink that shows this layer
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from telehealth.media.codec import starts_keyframe
from telehealth.media.gaps import Gaps
from telehealth.media.gop import Gop
from telehealth.media.negotiation import codec_key, repairs, type_of
from telehealth.media.private import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    Line,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRtpfbPacket,
    Wire,
)
from telehealth.media.reception import Reception
from telehealth.media.rtp import Packet, abs_send_time, unwrap_rtx
from telehealth.media.sendclock import LineClock, PublisherClock
from telehealth.messages import Use

KEYFRAME_EVERY = 0.3
"""Seconds between keyframe requests of one layer: a keyframe costs ten frames' bits."""


SILENT = 2.0
"""Seconds without a packet after which a picture counts as not sent."""


class Watcher(Protocol):
    """Who is pushed every packet of a layer: a slot of a viewer (telehealth.media.outbound)."""

    def push(self, layer: "Layer", packet: Packet, codec: str, keyframe: bool, now: float, send_time: bytes) -> None:
        """One packet, in the order of arrival; `send_time` is the header extension's three bytes."""
        ...


class Layer:
    """One encoding of an uplink. `watchers` are pushed every packet."""

    def __init__(self, uplink: "Uplink", rid: str, clock_rate: int) -> None:
        self.uplink = uplink
        self.rid = rid
        self.ssrc: int | None = None
        self.gaps = Gaps()
        self.gop = Gop()
        self.reception = Reception(clock_rate)
        self.clock = LineClock(clock_rate, uplink.publisher)
        self.watchers: list[Watcher] = []
        self.bytes = 0
        self.rate = 0.0
        self._measured = 0
        self.counted = (0, 0)
        """(expected, lost) at the last quality record."""
        self.last_packet = 0.0
        self.last_report: tuple[int, float] | None = None
        self._keyframe_asked = 0.0
        self.keyframes_asked = 0
        self._asking: asyncio.TimerHandle | None = None

    def request_keyframe(self, now: float) -> None:
        """Asks the sender for a keyframe, at most every KEYFRAME_EVERY seconds (PLI, RFC 4585)."""
        if self.ssrc is None or now - self._keyframe_asked < KEYFRAME_EVERY:
            return
        self._keyframe_asked = now
        self.keyframes_asked += 1
        packet = RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self.uplink.rtcp_ssrc, media_ssrc=self.ssrc)
        self.uplink.wire.send_rtcp(bytes(packet))

    def measure(self, step: float) -> None:
        """Updates `rate` (bit/s); `step` is the time since the last call, in seconds."""
        share = min(1.0, step)
        self.rate += ((self.bytes - self._measured) * 8 / step - self.rate) * share
        if self.rate < 500:
            self.rate = 0.0
        self._measured = self.bytes

    def look_after_gaps(self) -> None:
        """Sees to it that what is missing is asked for when it is due, whether or not another packet comes by then."""
        if self._asking is None:
            due = self.gaps.next_due()
            if due is not None:
                wait = max(0.001, due - time.monotonic())
                self._asking = asyncio.get_running_loop().call_later(wait, self._ask_missing)

    def _ask_missing(self) -> None:
        self._asking = None
        now = time.monotonic()
        asked = self.gaps.due(now, self.uplink.round_trip)
        if asked and self.ssrc is not None:
            packet = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=self.uplink.rtcp_ssrc, media_ssrc=self.ssrc)
            packet.lost = asked
            self.uplink.wire.send_rtcp(bytes(packet))
        if self.gaps.take_lost():
            self.request_keyframe(now)
        self.look_after_gaps()

    def close(self) -> None:
        """Asks for nothing any more."""
        if self._asking is not None:
            self._asking.cancel()


class Uplink:
    """One line on which a participant sends."""

    def __init__(self, line: Line, use: Use, wire: Wire, publisher: PublisherClock, rids: list[str]) -> None:
        self.mid = line.mid
        self.use = use
        self.kind = line.kind
        self.wire = wire
        self.publisher = publisher
        self.rtcp_ssrc = line.ssrc
        self.round_trip = 0.06
        self.came: Callable[[], object] = lambda: None
        """Called when something comes after SILENT seconds of nothing."""
        self.enabled = True
        """False while the rights of its sender do not allow it: packets are dropped."""
        self.level = 127.0
        """Smoothed audio level, -dBov."""
        self._codecs = {type_of(c): (c.name.upper(), codec_key(c)) for c in line.codecs if c.name.lower() != "rtx"}
        self._rtx = repairs(line.codecs)
        rate = next((c.clockRate for c in line.codecs), 90_000)
        self.layers = {rid: Layer(self, rid, rate) for rid in (rids or [""])}
        self._by_ssrc: dict[int, Layer] = {}
        self.retransmitted = 0

    def payload_types(self) -> set[int]:
        """All payload types of the line."""
        return set(self._codecs) | set(self._rtx)

    def key_of(self, payload_type: int) -> str | None:
        """The codec (see codec_key) of a payload type; None for retransmissions and unknown ones."""
        found = self._codecs.get(payload_type)
        return None if found is None else found[1]

    def codec_keys(self) -> list[str]:
        """The codecs this line may send."""
        return [key for _, key in self._codecs.values()]

    def layer_of(self, packet: Packet) -> Layer | None:
        """The layer of a packet: by SSRC, else by its rid; without simulcast there is but one."""
        layer = self._by_ssrc.get(packet.ssrc)
        if layer is None:
            rid = packet.repaired or packet.rid
            if rid is not None and rid in self.layers:
                layer = self.layers[rid]
            elif len(self.layers) == 1:
                layer = next(iter(self.layers.values()))
            else:
                return None
            if len(self._by_ssrc) < 64:
                self._by_ssrc[packet.ssrc] = layer
        return layer

    def take(self, packet: Packet, now: float) -> None:
        """One packet of this line, in the order of arrival."""
        if not self.enabled:
            return
        layer = self.layer_of(packet)
        if layer is None:
            return
        repaired = self._rtx.get(packet.payload_type)
        if repaired is not None:
            self.retransmitted += 1
            if layer.ssrc is None:
                return
            original = unwrap_rtx(packet, repaired, layer.ssrc)
            if original is None:
                return
            packet = original
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        if layer.ssrc != packet.ssrc:
            layer.ssrc = packet.ssrc
            layer.gaps = Gaps()
        if repaired is None:
            layer.reception.add(packet.sequence, packet.timestamp, now)
        if now - layer.last_packet > SILENT:
            self.came()
        layer.last_packet = now
        layer.bytes += len(packet.payload) + 12
        if self.kind == "video":
            if not layer.gaps.arrived(packet.sequence, now):
                return
            if layer.gaps.missing:
                layer.look_after_gaps()
            if layer.gaps.take_lost():
                layer.request_keyframe(now)
            keyframe = starts_keyframe(codec[0], packet.payload)
            if packet.payload:
                layer.gop.add(packet, keyframe, now)
        else:
            keyframe = True
            if packet.level is not None:
                self.level += (packet.level - self.level) / 8
        send_time = abs_send_time(time.time())
        for watcher in layer.watchers:
            watcher.push(layer, packet, codec[1], keyframe, now, send_time)

    def close(self) -> None:
        """Asks for nothing any more."""
        for layer in self.layers.values():
            layer.close()

    def reports(self, now: float) -> list[RtcpReceiverInfo]:
        """Reception reports of every layer that sends."""
        out = []
        for layer in self.layers.values():
            if layer.ssrc is None:
                continue
            expected, lost = layer.reception.interval()
            seen = layer.last_report
            out.append(
                RtcpReceiverInfo(
                    ssrc=layer.ssrc,
                    fraction_lost=min(255, lost * 256 // expected) if expected else 0,
                    packets_lost=max(-0x800000, min(0x7FFFFF, layer.reception.lost)),
                    highest_sequence=layer.reception.extended_highest,
                    jitter=layer.reception.jitter,
                    lsr=seen[0] if seen else 0,
                    dlsr=int((now - seen[1]) * 65536) if seen else 0,
                )
            )
        return out
