"""Cheap WebRTC ends for the forwarding benchmark: packets made once and sent as they are, arrivals only counted.

Every end is an aiortc peer connection whose packets go past aiortc (telehealth.media.private.Wire), so that one
process can be twenty viewers without being what is measured.
"""

import asyncio
import fractions
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiortc import RTCSessionDescription
from aiortc.codecs import HEADER_EXTENSIONS
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket
from av import VideoFrame

from telehealth.media.codec import vp8_keyframe
from telehealth.media.private import ForwardingConnection, SessionDescription, Wire
from telehealth.media.rtp import MID, TRANSPORT_CC

Answer = Callable[[str, list[dict[str, str]]], Awaitable[str]]
SECONDS = 4


def enable_transport_cc() -> None:
    """Ends offer transport-wide numbers as browsers do (process-wide: a benchmark's process does nothing else)."""
    for kind in ("audio", "video"):
        if not any(e.uri == TRANSPORT_CC for e in HEADER_EXTENSIONS[kind]):
            HEADER_EXTENSIONS[kind].append(RTCRtpHeaderExtensionParameters(id=5, uri=TRANSPORT_CC))


def camera(kbps: int = 1_400) -> list[tuple[int, list[bytes]]]:
    """(timestamp, payloads) of 640x480 at 30 frames a second, VP8, beginning with a keyframe: made once, looped."""
    encoder = Vp8Encoder()
    encoder.target_bitrate = kbps * 1000
    rng = np.random.default_rng(1)
    ground = rng.integers(40, 200, (480, 640), np.uint8)
    frames = []
    for n in range(30 * SECONDS):
        luma = np.roll(ground, (n * 3, n * 5), (0, 1)) // 4 + 90
        luma[100:200, 40 + n * 3 : 140 + n * 3] = 230
        luma = luma + rng.integers(0, 14, (480, 640), np.uint8)
        planes = np.concatenate([luma.ravel(), np.full(640 * 240, 128)]).astype(np.uint8).reshape(720, 640)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = n * 3000, fractions.Fraction(1, 90_000)
        payloads, _ = encoder.encode(frame, force_keyframe=n == 0)
        frames.append((n * 3000, payloads))
    return frames


@dataclass
class End:
    """One peer connection.

    Attributes:
        packets: RTP packets that arrived, by kind unasked.
        first_keyframe: seconds from `start` to the first packet of a keyframe.
    """

    sends: bool
    receives: int = 0
    sound: bool = False
    light: bool = False
    """Arrivals are counted by their clear headers, not decrypted: eighty ends beside the server that is measured."""
    packets: int = 0
    first_keyframe: float | None = None
    keyframe_wanted: bool = False
    connection: ForwardingConnection = field(init=False)
    wire: Wire | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _seen: dict[int, int] = field(default_factory=dict)
    _wide: int = 0

    async def start(self, answer: Answer) -> None:
        """Offers, connects, and begins to send."""
        began = time.perf_counter()
        self.connection = pc = ForwardingConnection()
        lines = []
        if self.sends:
            if self.sound:
                lines.append((pc.addTransceiver("audio", "sendonly"), "microphone"))
            lines.append((pc.addTransceiver("video", "sendonly"), "camera"))
        for _ in range(self.receives):
            if self.sound:
                lines.append((pc.addTransceiver("audio", "recvonly"), "slot-audio"))
            lines.append((pc.addTransceiver("video", "recvonly"), "slot-video"))
        await pc.setLocalDescription(await pc.createOffer())
        sdp = await answer(pc.localDescription.sdp, [{"mid": t.mid or "", "use": use} for t, use in lines])
        await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await self._run(began, sdp)

    async def answer(self, offer: str) -> str:
        """Answers an offer (Janus makes them for its subscribers)."""
        self.connection = ForwardingConnection()
        for line in await self.connection.take_offer(offer):
            line.transceiver.direction = "recvonly"
        return await self.connection.make_answer()

    async def _run(self, began: float, sdp: str) -> None:
        transport = self.connection.dtls()
        assert transport is not None
        self.wire = Wire(transport, lambda data: self._rtp(data, began), self._rtcp)
        self.wire.tap()
        async with asyncio.timeout(20):
            while not self.wire.connected:
                await asyncio.sleep(0.002)
        self.wire.tap()
        if self.light:
            self._only_count(transport)
        ids = {}
        for media in SessionDescription.parse(sdp).media:
            ids |= {e.uri: e.id for e in media.rtp.headerExtensions}
        if self.sends:
            for transceiver in self.connection.getTransceivers():
                if transceiver.direction == "sendonly":
                    work = self._send_video if transceiver.kind == "video" else self._send_sound
                    codec = transceiver._codecs[0]
                    self._tasks.append(
                        asyncio.create_task(
                            work(transceiver.sender._ssrc, codec.payloadType or 0, transceiver.mid, ids)
                        )
                    )
        if self.receives:
            self._tasks.append(asyncio.create_task(self._report()))

    def _only_count(self, transport: Any) -> None:
        for protocol in transport.transport._connection._protocols:
            inner = protocol.datagram_received

            def counted(data: bytes, address: Any, inner: Callable[[bytes, Any], None] = inner) -> None:
                if 127 < data[0] < 192 and not 191 < data[1] < 224:  # RFC 5761: not RTCP
                    self.packets += 1
                    self._seen[int.from_bytes(data[8:12], "big")] = int.from_bytes(data[2:4], "big")
                else:
                    inner(data, address)

            protocol.datagram_received = counted

    async def begin(self, offer: str) -> None:
        """After `answer`: begins to count."""
        await self._run(time.perf_counter(), offer)

    def _rtp(self, data: bytes, began: float) -> None:
        self.packets += 1
        ssrc = int.from_bytes(data[8:12], "big")
        self._seen[ssrc] = int.from_bytes(data[2:4], "big")
        if self.first_keyframe is None:
            at = 12
            if data[0] & 16:
                at += 4 + 4 * int.from_bytes(data[14:16], "big")
            if len(data) > 300 and vp8_keyframe(data[at:]):
                self.first_keyframe = time.perf_counter() - began

    def _rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            return
        if any(isinstance(p, RtcpPsfbPacket) and p.fmt == 1 for p in packets):
            self.keyframe_wanted = True

    def _header(
        self, ssrc: int, payload_type: int, mid: str, ids: dict[str, int], sequence: int, stamp: int, mark: int
    ) -> bytes:
        block = b""
        if MID in ids:
            block += bytes([ids[MID] << 4 | (len(mid) - 1)]) + mid.encode()
        if TRANSPORT_CC in ids:
            self._wide = (self._wide + 1) & 0xFFFF
            block += bytes([ids[TRANSPORT_CC] << 4 | 1]) + struct.pack("!H", self._wide)
        words = (len(block) + 3) // 4
        head = struct.pack("!BBHLL", 0x90, mark << 7 | payload_type, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
        return head + struct.pack("!HH", 0xBEDE, words) + block.ljust(words * 4, b"\0")

    async def _send_video(self, ssrc: int, payload_type: int, mid: str, ids: dict[str, int]) -> None:
        frames, sequence, began, n = CAMERA, 1, time.perf_counter(), 0
        start = 0
        while True:
            if self.keyframe_wanted and (n - start) % len(frames) > 5:
                start = n  # the recording begins again with its keyframe
            self.keyframe_wanted = False
            _, payloads = frames[(n - start) % len(frames)]
            for i, payload in enumerate(payloads):
                head = self._header(ssrc, payload_type, mid, ids, sequence, n * 3000, int(i == len(payloads) - 1))
                assert self.wire is not None
                self.wire.send_rtp(head + payload)
                sequence += 1
            n += 1
            await asyncio.sleep(max(0.0, began + n / 30 - time.perf_counter()))

    async def _send_sound(self, ssrc: int, payload_type: int, mid: str, ids: dict[str, int]) -> None:
        began, n = time.perf_counter(), 0
        while True:
            assert self.wire is not None
            self.wire.send_rtp(self._header(ssrc, payload_type, mid, ids, n + 1, n * 960, 0) + bytes(80))
            n += 1
            await asyncio.sleep(max(0.0, began + n / 50 - time.perf_counter()))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            infos = [RtcpReceiverInfo(s, 0, 0, q, 0, 0, 0) for s, q in list(self._seen.items())[:30]]
            if infos and self.wire is not None:
                self.wire.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=infos)))

    async def close(self) -> None:
        """Ends it."""
        for task in self._tasks:
            task.cancel()
        await self.connection.close()


CAMERA: list[tuple[int, list[bytes]]] = []


def prepare() -> None:
    """Makes the recording of this process."""
    enable_transport_cc()
    if not CAMERA:
        CAMERA.extend(camera())
