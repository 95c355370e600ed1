"""Every private name of aiortc (and of aioice beneath it) that this product uses. tests/telehealth/test_private.py
holds them to aiortc 1.16.0, which is pinned for this reason; docs/adr/0061.

What it does: an RTCPeerConnection whose lines neither decode nor encode, and a `Wire` that takes packets from the
socket and puts them on it without a queue or a task between (a third of the cost of a packet otherwise).
"""

import fcntl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pylibsrtp
from aioice import stun
from aioice.candidate import candidate_priority
from aioice.ice import get_host_addresses
from aiortc import (
    RTCConfiguration,
    RTCIceCandidate,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    is_rtcp,
    pack_remb_fci,
    unpack_remb_fci,
)
from aiortc.sdp import SessionDescription, candidate_from_sdp

__all__ = [
    "RTCP_PSFB_APP",
    "RTCP_PSFB_FIR",
    "RTCP_PSFB_PLI",
    "RTCP_RTPFB_NACK",
    "ForwardingConnection",
    "Line",
    "RTCRtcpFeedback",
    "RTCRtpCodecParameters",
    "RTCRtpHeaderExtensionParameters",
    "RtcpPacket",
    "RtcpPsfbPacket",
    "RtcpReceiverInfo",
    "RtcpRrPacket",
    "RtcpRtpfbPacket",
    "RtcpSdesPacket",
    "RtcpSenderInfo",
    "RtcpSourceInfo",
    "RtcpSrPacket",
    "SessionDescription",
    "Wire",
    "get_host_addresses",
    "pack_remb_fci",
    "stun",
    "unpack_remb_fci",
]


SIOCGSTAMPNS = 0x8907
"""Linux (sockios.h): when the packet that was read last from a socket had arrived, as two 64-bit numbers."""
_TIMESPEC = struct.Struct("qq")
MOST_EARLY = 64
"""Packets kept until their keys are there: a tenth of a second of a keyframe and of probing."""


MOST_PAIRS = 256
"""Pairs of addresses of a peer connection, beyond which no new address of a client is looked at."""


class _SilentReceiver(RTCRtpReceiver):
    """A line's receiver that starts no decoder: the Wire has the packets before aiortc would."""

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def _handle_disconnect(self) -> None:
        """Nothing to end."""


class _SilentSender(RTCRtpSender):
    """A line's sender that starts no encoder and no reports of its own."""

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""


@dataclass(slots=True)
class Line:
    """One media line as negotiated."""

    transceiver: RTCRtpTransceiver
    mid: str
    kind: str
    offered: Any
    """The offer's MediaDescription."""

    @property
    def codecs(self) -> list[RTCRtpCodecParameters]:
        """Common codecs, best first; changed before the answer is made."""
        return self.transceiver._codecs

    @codecs.setter
    def codecs(self, codecs: list[RTCRtpCodecParameters]) -> None:
        self.transceiver._codecs = codecs

    @property
    def extensions(self) -> list[RTCRtpHeaderExtensionParameters]:
        """Header extensions of the answer."""
        return self.transceiver._headerExtensions

    @extensions.setter
    def extensions(self, extensions: list[RTCRtpHeaderExtensionParameters]) -> None:
        self.transceiver._headerExtensions = extensions

    @property
    def ssrc(self) -> int:
        """What we send on this line carries this SSRC."""
        return self.transceiver.sender._ssrc

    @property
    def rtx_ssrc(self) -> int:
        """Retransmissions we send on this line carry this SSRC."""
        return self.transceiver.sender._rtx_ssrc

    def name_stream(self, stream: str) -> None:
        """Lines of one stream are played in step by the browser (msid)."""
        self.transceiver.sender._stream_id = stream

    @property
    def offered_ssrcs(self) -> list[int]:
        """SSRCs the offer names for this line (none with simulcast)."""
        return [s.ssrc for s in self.offered.ssrc]


@dataclass(slots=True)
class Wire:
    """The packets of one peer connection, past aiortc's queues.

    `on_rtp` and `on_rtcp` get decrypted packets in the event loop's read callback; they must not raise.
    """

    transport: RTCDtlsTransport
    on_rtp: Callable[[bytes], None]
    on_rtcp: Callable[[bytes], None]
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0
    undecryptable: int = 0
    moves: int = 0
    """How often the client's packets came from another address than before."""
    _tapped: set[int] = field(default_factory=set)
    _read_from: int = -1
    """The descriptor from which the packet at hand was read."""
    _stamp: bytearray = field(default_factory=lambda: bytearray(_TIMESPEC.size))
    _early: list[tuple[bytes, int]] = field(default_factory=list)
    """What came before its keys were there, and when."""
    _early_at: int | None = None
    _came_from: Any = None
    """The address of the newest packet that was the client's."""

    def arrived(self) -> int:
        """When the packet at hand arrived at this machine, µs since 1970, by the kernel's clock.

        The moment at which it is read is no measure: a busy event loop reads what came over tens of milliseconds at
        once, and a sender that is told so believes in a queue on the path and sends a third.
        """
        if self._early_at is not None:
            return self._early_at
        now = time.time_ns()
        try:
            fcntl.ioctl(self._read_from, SIOCGSTAMPNS, self._stamp, True)
        except (OSError, ValueError):
            return now // 1000  # no such call here (not Linux), or the socket is being closed
        seconds, nanos = _TIMESPEC.unpack(self._stamp)
        stamp = seconds * 1_000_000_000 + nanos
        # The first call alone switches the stamps on; a clock that was set is not believed either.
        return (stamp if 0 <= now - stamp < 2_000_000_000 else now) // 1000

    def tap(self) -> None:
        """Takes the packets of every socket gathered so far."""
        for protocol in cast("Any", self.transport.transport._connection)._protocols:
            if id(protocol) not in self._tapped:
                self._tapped.add(id(protocol))
                protocol.datagram_received = self._receiver(protocol)

    def _receiver(self, protocol: Any) -> Callable[[bytes, Any], None]:
        keys: Any = self.transport  # its keys are None until its handshake is over, which its types do not say
        others: Callable[[bytes, Any], None] = protocol.datagram_received
        socket = protocol.transport.get_extra_info("socket") if protocol.transport is not None else None
        descriptor = -1 if socket is None else socket.fileno()

        def datagram_received(data: bytes, address: Any) -> None:
            # RFC 7983: 128..191 is RTP or RTCP, the rest is STUN, DTLS or TURN. Only from where ICE checked: SRTP
            # authenticates it.
            if not data or not 127 < data[0] < 192:
                others(data, address)
                return
            self.bytes_in += len(data)
            self.packets_in += 1
            self._read_from = descriptor
            if keys._rx_srtp is None:
                # The other side has its keys a moment before us, and begins with its keyframe and with the packets by
                # which it tries the path: lost here, they would be held against the path.
                if len(self._early) < MOST_EARLY:
                    self._early.append((data, self.arrived()))
                return
            if self._early:
                self._catch_up()
            if self._take(data) and address != self._came_from:
                self._moved(protocol, address)

        return datagram_received

    def _take(self, data: bytes) -> bool:
        try:
            if is_rtcp(data):
                self.on_rtcp(self.transport._rx_srtp.unprotect_rtcp(data))
            else:
                self.on_rtp(self.transport._rx_srtp.unprotect(data))
        except pylibsrtp.Error:
            self.undecryptable += 1  # a replayed, late or forged packet
            return False
        return True

    def _moved(self, protocol: Any, address: Any) -> None:
        """The client is somewhere else: its network has changed, or a translator on its way gave it another port.

        Its next connectivity check, which would tell, may be 2.5 s away. What came is authenticated, so it is taken for
        one: the address is checked, and used when the client answers from there (RFC 8445 section 7.3.1.4).
        """
        self._came_from = address
        connection: Any = self.transport.transport._connection
        pair = connection._nominated.get(1)
        if pair is None or (pair.protocol is protocol and pair.remote_addr == address[:2]):
            return
        if len(connection._check_list) >= MOST_PAIRS:
            return
        self.moves += 1
        check = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.REQUEST,
            attributes={"PRIORITY": candidate_priority(1, "prflx"), "USE-CANDIDATE": None},
        )
        connection.check_incoming(check, address[:2], protocol)

    def _catch_up(self) -> None:
        early, self._early = self._early, []
        for data, self._early_at in early:
            self._take(data)
        self._early_at = None

    @property
    def connected(self) -> bool:
        """Whether packets can be sent."""
        return self.transport._state is State.CONNECTED

    def send_rtp(self, data: bytes) -> bool:
        """Encrypts and sends; False when there is no path now (the packet is dropped)."""
        if self.transport._state is not State.CONNECTED:
            return False
        return self._put(self.transport._tx_srtp.protect(data))

    def send_rtcp(self, data: bytes) -> bool:
        """As send_rtp."""
        if self.transport._state is not State.CONNECTED:
            return False
        return self._put(self.transport._tx_srtp.protect_rtcp(data))

    def _put(self, data: bytes) -> bool:
        pair = self.transport.transport._connection._nominated.get(1)
        if pair is None:
            return False
        try:
            pair.protocol.transport.sendto(data, pair.remote_addr)
        except OSError:
            return False
        self.bytes_out += len(data)
        self.packets_out += 1
        return True

    @property
    def remote_path(self) -> str:
        """`type/protocol` of the remote candidate in use, or empty."""
        pair = self.transport.transport._connection._nominated.get(1)
        return "" if pair is None else f"{pair.remote_candidate.type}/{pair.remote_candidate.transport}"


class ForwardingConnection(RTCPeerConnection):
    """A peer connection that answers one offer; its lines are silent, its packets go through `wire`."""

    def __init__(self) -> None:
        # No STUN: the server's own addresses are what clients reach (a public one is mapped, or a relay is the
        # client's).
        super().__init__(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))

    def _RTCPeerConnection__createTransceiver(
        self, direction: str, kind: str, sender_track: MediaStreamTrack | None = None
    ) -> RTCRtpTransceiver:
        parent = cast("Any", super())
        transceiver: RTCRtpTransceiver = parent._RTCPeerConnection__createTransceiver(
            direction=direction, kind=kind, sender_track=sender_track
        )
        transport = transceiver.receiver.transport
        receiver, sender = _SilentReceiver(kind, transport), _SilentSender(kind, transport)
        sender._stream_id = transceiver.sender._stream_id
        inner = cast("Any", transceiver)
        inner._RTCRtpTransceiver__receiver = receiver
        inner._RTCRtpTransceiver__sender = sender
        return transceiver

    async def take_offer(self, sdp: str) -> list[Line]:
        """Applies an offer without candidates; the lines may be changed until `make_answer`.

        Raises:
            ValueError: the SDP cannot be answered.
        """
        try:
            description = SessionDescription.parse(sdp)
            await self.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        except Exception as error:
            # aiortc's parser meets bad SDP with whatever breaks first: AssertionError, StopIteration, KeyError, …
            raise ValueError(f"this offer cannot be answered: {type(error).__name__} {error}") from None
        by_mid = {t.mid: t for t in self.getTransceivers()}
        return [
            Line(by_mid[m.rtp.muxId], m.rtp.muxId, m.kind, m)
            for m in description.media
            if m.kind in ("audio", "video") and m.rtp.muxId in by_mid
        ]

    async def make_answer(self) -> str:
        """The answer, with all of this server's candidates.

        Raises:
            ValueError: the offer had nothing that can be answered.
        """
        try:
            await self.setLocalDescription(await self.createAnswer())
        except Exception as error:
            raise ValueError(f"this offer cannot be answered: {type(error).__name__} {error}") from None
        return self.localDescription.sdp

    def dtls(self) -> RTCDtlsTransport | None:
        """The one transport of all lines."""
        transceivers = self.getTransceivers()
        if transceivers:
            return transceivers[0].receiver.transport
        return self.sctp.transport if self.sctp is not None else None

    async def add_candidate(self, text: str) -> None:
        """A candidate of the client (`candidate:…`), or the end of them (empty).

        Raises:
            ValueError: not a candidate.
        """
        transport = self.dtls()
        if transport is None:
            return
        ice: RTCIceTransport = transport.transport
        if not text:
            await ice.addRemoteCandidate(None)
            return
        try:
            candidate: RTCIceCandidate = candidate_from_sdp(text.removeprefix("candidate:"))
        except (AssertionError, IndexError, ValueError):
            raise ValueError("not an ICE candidate") from None
        await ice.addRemoteCandidate(candidate)
