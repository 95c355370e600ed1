"""One peer connection of a participant: its lines by use, its data channels, its feedback.

socket -> Wire -> _rtp  -> Uplink (by SSRC, mid)        ; transport-wide arrival times
               -> _rtcp -> Downlink (reports, NACK, PLI), Uplink (sender reports), estimate (REMB)
every 50 ms: transport-wide feedback; every half second: the sender's cap; every second: reports
"""

import asyncio
import logging
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from telehealth.media.channels import Channels
from telehealth.media.inbound import Uplink
from telehealth.media.negotiation import prepare_down, prepare_up
from telehealth.media.offers import finish, prepare, usable
from telehealth.media.outbound import Downlink
from telehealth.media.private import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    ForwardingConnection,
    Line,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    Wire,
    pack_remb_fci,
    unpack_remb_fci,
)
from telehealth.media.rtp import (
    RID,
    Extensions,
    Packet,
    abs_send_time,
    parse,
)
from telehealth.media.sendclock import PublisherClock
from telehealth.media.twcc import Arrivals
from telehealth.messages import Offer, Use

log = logging.getLogger(__name__)

TICK = 0.05
CONNECT_SECONDS = 20.0
"""An offer whose connection does not stand by then is given up."""
UP = {Use.MICROPHONE, Use.CAMERA, Use.SCREEN}
DOWN = {Use.SLOT_AUDIO, Use.SLOT_VIDEO}


@dataclass(slots=True)
class PeerEvents:
    """What a peer tells its owner; called in the event loop, must not raise."""

    state: Callable[["Peer", str], None]
    talk: Callable[["Peer", str], None]
    vitals: Callable[["Peer", bytes], None]


class Peer:
    """One peer connection. `connected` once, `failed` at the end (also when it was closed by the client)."""

    def __init__(self, number: int, events: PeerEvents) -> None:
        self.number = number
        self.connection = ForwardingConnection()
        self.uplinks: dict[Use, Uplink] = {}
        self.downlinks: list[Downlink] = []
        self.state = "new"
        self.estimate: float | None = None
        """The viewer's REMB, bit/s."""
        self.cap = 0.0
        """What this sender may send in all, bit/s; 0 = no word yet."""
        self.channels = Channels(
            talk=lambda text: events.talk(self, text), vitals=lambda data: events.vitals(self, data), stuck=self._failed
        )
        self.created = time.monotonic()
        self.last_packet = self.created
        self.wire: Wire | None = None
        self._events = events
        self._extensions = Extensions()
        self._by_ssrc: dict[int, Uplink] = {}
        self._by_mid: dict[str, Uplink] = {}
        self._by_payload: dict[int, list[Uplink]] = {}
        self._down_by_ssrc: dict[int, Downlink] = {}
        self._arrivals = Arrivals()
        self._feedback_ssrc = (0, 0)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def answer(self, offer: Offer, allowed: set[Use], stream: str, reached: str = "") -> str:
        """The answer to an offer.

        Args:
            allowed: uses that the rights permit; other lines are answered inactive.
            stream: names the pairs of slots (sound and picture of one pair are played in step).
            reached: this server's address as the client's socket has reached it; empty: not known.

        Raises:
            ValueError: the offer cannot be answered.
        """
        prepared = prepare(offer.sdp)
        uses = {line.mid: line.use for line in offer.lines}
        self.connection.on("connectionstatechange", self._state_changed)
        self.connection.on("datachannel", self.channels.take)
        lines = await self.connection.take_offer(prepared.sdp)
        transport = self.connection.dtls()
        if transport is None:
            raise ValueError("this offer has nothing to answer")
        self.wire = Wire(transport, self._rtp, self._rtcp)
        publisher = PublisherClock()
        layers: dict[str, list[str]] = {}
        counts = {Use.SLOT_AUDIO: 0, Use.SLOT_VIDEO: 0}
        for line in lines:
            use = uses.get(line.mid)
            wanted = "audio" if use in (Use.MICROPHONE, Use.SLOT_AUDIO) else "video"
            if use is None or use not in allowed or line.kind != wanted or use in self.uplinks:
                line.transceiver.direction = "inactive"
            elif use in UP:
                # Layers are told apart by their rid alone (RFC 8853): without that extension there is but one.
                named = any(e.uri == RID for e in line.offered.rtp.headerExtensions)
                rids = prepared.rids.get(line.mid, []) if use is Use.CAMERA and named else []
                if rids:
                    layers[line.mid] = rids
                for extension in prepare_up(line):
                    self._extensions.learn(extension.id, extension.uri)
                self._add_uplink(Uplink(line, use, self.wire, publisher, rids), line)
            else:
                prepare_down(line)
                line.name_stream(f"{stream}-{counts[use]}")
                downlink = Downlink(line, self.wire, "tram", counts[use])
                counts[use] += 1
                self.downlinks.append(downlink)
                self._down_by_ssrc[line.ssrc] = self._down_by_ssrc[line.rtx_ssrc] = downlink
        answer = finish(await self.connection.make_answer(), layers, reached)
        self.wire.tap()
        for candidate in prepared.candidates:
            await self.connection.add_candidate(candidate)
        self._task = asyncio.create_task(self._run(), name=f"peer {self.number}")
        return answer

    async def candidate(self, text: str) -> None:
        """A trickled candidate; those that cannot be tried are passed over.

        The end of them is not handed on: with `….local` names only, aioice would give up before the client's own checks
        arrive. CONNECT_SECONDS bounds the wait instead.
        """
        if text and usable(text):
            await self.connection.add_candidate(text.removeprefix("a="))

    @property
    def round_trip(self) -> float | None:
        """Seconds, by the viewer's reception reports."""
        return min((d.round_trip for d in self.downlinks if d.round_trip is not None), default=None)

    def loss_up(self) -> tuple[float | None, float | None]:
        """(share lost, jitter in ms) of what this participant sent since the last call; None when nothing was due."""
        expected = lost = 0
        jitter: float | None = None
        for uplink in self.uplinks.values():
            for layer in uplink.layers.values():
                now = (layer.reception.expected, layer.reception.lost)
                expected += now[0] - layer.counted[0]
                lost += max(0, now[1] - layer.counted[1])
                layer.counted = now
                if uplink.use is Use.MICROPHONE and layer.ssrc is not None:
                    jitter = layer.reception.jitter_ms
        return (min(1.0, lost / expected) if expected > 0 else None), jitter

    async def close(self) -> None:
        """Ends it. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.channels.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        for uplink in self.uplinks.values():
            uplink.close()
        for downlink in self.downlinks:
            downlink.close()
        await self.connection.close()

    # --- lines ---

    def _add_uplink(self, uplink: Uplink, line: Line) -> None:
        self.uplinks[uplink.use] = uplink
        self._by_mid[uplink.mid] = uplink
        for ssrc in line.offered_ssrcs[:16]:
            self._by_ssrc[ssrc] = uplink
        for payload_type in uplink.payload_types():
            self._by_payload.setdefault(payload_type, []).append(uplink)

    def _uplink_of(self, packet: Packet) -> Uplink | None:
        uplink = self._by_ssrc.get(packet.ssrc)
        if uplink is None:
            if packet.mid is not None:
                uplink = self._by_mid.get(packet.mid)
            else:
                # RFC 8843 section 9.2: by payload type where only one line has it.
                lines = self._by_payload.get(packet.payload_type, [])
                uplink = lines[0] if len(lines) == 1 else None
            if uplink is not None and len(self._by_ssrc) < 256:
                self._by_ssrc[packet.ssrc] = uplink
        return uplink

    # --- packets ---

    def _rtp(self, data: bytes) -> None:
        packet = parse(data, self._extensions)
        if packet is None:
            return
        uplink = self._uplink_of(packet)
        if uplink is None:
            return
        now = time.monotonic()
        self.last_packet = now
        if packet.wide is not None:
            self._arrivals.add(packet.wide, self._arrived())
            self._feedback_ssrc = (uplink.rtcp_ssrc, packet.ssrc)
        uplink.take(packet, now)

    def _arrived(self) -> int:
        assert self.wire is not None
        return self.wire.arrived()

    def _rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, IndexError, UnicodeDecodeError):
            return
        self.last_packet = now = time.monotonic()
        for packet in packets:
            if isinstance(packet, (RtcpRrPacket, RtcpSrPacket)):
                for report in packet.reports:
                    downlink = self._down_by_ssrc.get(report.ssrc)
                    if downlink is not None and report.ssrc == downlink.ssrc:
                        downlink.heard(report, time.time())
            if isinstance(packet, RtcpSrPacket):
                self._sender_report(packet, now)
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
                downlink = self._down_by_ssrc.get(packet.media_ssrc)
                if downlink is not None:
                    downlink.resend(packet.lost, abs_send_time(time.time()))
            elif isinstance(packet, RtcpPsfbPacket):
                self._payload_feedback(packet, now)

    def _sender_report(self, packet: RtcpSrPacket, now: float) -> None:
        uplink = self._by_ssrc.get(packet.ssrc)
        if uplink is None:
            return
        info = packet.sender_info
        for layer in uplink.layers.values():
            if layer.ssrc == packet.ssrc:
                layer.clock.report(info.ntp_timestamp, info.rtp_timestamp, time.time())
                layer.last_report = ((info.ntp_timestamp >> 16) & 0xFFFFFFFF, now)

    def _payload_feedback(self, packet: RtcpPsfbPacket, now: float) -> None:
        if packet.fmt == RTCP_PSFB_PLI:
            downlink = self._down_by_ssrc.get(packet.media_ssrc)
            if downlink is not None:
                downlink.keyframe_wanted(now)
        elif packet.fmt == RTCP_PSFB_FIR:
            for at in range(0, len(packet.fci) - 7, 8):
                downlink = self._down_by_ssrc.get(int.from_bytes(packet.fci[at : at + 4], "big"))
                if downlink is not None:
                    downlink.keyframe_wanted(now)
        elif packet.fmt == RTCP_PSFB_APP:
            try:
                self.estimate = float(unpack_remb_fci(packet.fci)[0])
            except (ValueError, IndexError, struct.error):  # the last: it promises more SSRCs than it has
                return

    # --- feedback ---

    async def _run(self) -> None:
        report_at = cap_at = 0.0
        while not self._closed:
            await asyncio.sleep(TICK if self.uplinks else 10 * TICK)
            now = time.monotonic()
            if self.state != "connected":
                if now - self.created > CONNECT_SECONDS:
                    self._failed()
                    return
                continue
            self._send_arrivals()
            if now >= cap_at:
                cap_at = now + 0.5
                self._send_cap()
            if now >= report_at:
                report_at = now + 1.0
                self._send_reports(now)

    def _send_arrivals(self) -> None:
        data = self._arrivals.feedback(*self._feedback_ssrc)
        if data is not None and self.wire is not None:
            self.wire.send_rtcp(data)

    def _send_reports(self, now: float) -> None:
        if self.wire is None:
            return
        trip = self.round_trip
        for uplink in self.uplinks.values():
            if trip is not None:
                uplink.round_trip = trip
            reports = uplink.reports(now)
            if reports:
                self.wire.send_rtcp(bytes(RtcpRrPacket(ssrc=uplink.rtcp_ssrc, reports=reports)))
        for downlink in self.downlinks:
            downlink.report(now)

    def _send_cap(self) -> None:
        """REMB towards the sender: with transport-wide feedback its browser takes it as an upper bound."""
        if self.wire is None or not self.cap:
            return
        for uplink in self.uplinks.values():
            ssrcs = [layer.ssrc for layer in uplink.layers.values() if layer.ssrc is not None]
            if uplink.kind == "video" and ssrcs:
                fci = pack_remb_fci(int(self.cap), ssrcs)
                self.wire.send_rtcp(
                    bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=uplink.rtcp_ssrc, media_ssrc=0, fci=fci))
                )
                return

    # --- aiortc's events ---

    def _state_changed(self) -> None:
        state = self.connection.connectionState
        if state == "connected" and self.state == "new":
            if self.wire is not None:
                self.wire.tap()
            self.state = "connected"
            self._events.state(self, "connected")
        elif state in ("failed", "closed"):
            self._failed()

    def _failed(self) -> None:
        if self.state != "failed":
            self.state = "failed"
            if not self._closed:
                self._events.state(self, "failed")
