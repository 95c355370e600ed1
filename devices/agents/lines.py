"""The media lines of a participant's offer (docs/consult-protocol.md, section 3), made before it and kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiortc import RTCPeerConnection, RTCRtpSender, RTCRtpTransceiver
from aiortc.mediastreams import MediaStreamTrack

SENT = (("microphone", "send-audio"), ("camera", "send-video"), ("screen", "send-video"))
"""What may be sent, and the right it takes."""


@dataclass(slots=True)
class Line:
    """A media line of our offer."""

    transceiver: RTCRtpTransceiver
    use: str


def lines(
    pc: RTCPeerConnection,
    tracks: Mapping[str, MediaStreamTrack],
    rights: Collection[str],
    slots: tuple[int, int],
    codec: str,
) -> list[Line]:
    """Makes them.

    Args:
        tracks: what to send, by use; what the rights do not allow is left out.
        slots: how many others to hear and to see.
        codec: `VP8` or `H264`, for what is sent.
    """
    made = []
    for use, right in SENT:
        if use in tracks and right in rights:
            made.append(Line(pc.addTransceiver(tracks[use], "sendonly"), use))
    made += [Line(pc.addTransceiver("audio", "recvonly"), "slot-audio") for _ in range(slots[0])]
    made += [Line(pc.addTransceiver("video", "recvonly"), "slot-video") for _ in range(slots[1])]
    wanted = (f"video/{codec.lower()}", "video/rtx")
    preferred = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.lower() in wanted]
    for line in made:
        if line.use in ("camera", "screen"):
            line.transceiver.setCodecPreferences(preferred)
    return made


async def received(pc: RTCPeerConnection) -> int:
    """Bytes that arrived so far."""
    report = await pc.getStats()
    return sum(int(s.bytesReceived) for s in report.values() if s.type == "transport")
