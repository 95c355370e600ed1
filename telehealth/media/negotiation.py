"""What an answer says of each line: codecs, header extensions, feedback. The two directions differ on purpose.

Up, towards the server, lines carry the transport-wide number: the browser then estimates its path itself, by our
feedback. Down, they carry the absolute send time instead, so that the viewer's browser reports its estimate (REMB);
both on one line would be two estimators that fight.
"""

from telehealth.media.private import Line, RTCRtcpFeedback, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters
from telehealth.media.rtp import ABS_SEND_TIME, AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_CC


def prepare_up(line: Line) -> list[RTCRtpHeaderExtensionParameters]:
    """A line on which the participant sends; returns the extensions it will carry.

    Raises:
        ValueError: it offers no codec that is forwarded.
    """
    line.transceiver.direction = "recvonly"
    names = [MID, TRANSPORT_CC, AUDIO_LEVEL] if line.kind == "audio" else [MID, TRANSPORT_CC, RID, REPAIRED_RID]
    line.extensions = [e for e in line.offered.rtp.headerExtensions if e.uri in names]
    line.codecs = _codecs(line, feedback=True)
    return line.extensions


def prepare_down(line: Line) -> None:
    """A slot.

    Raises:
        ValueError: it offers no codec that is forwarded.
    """
    line.transceiver.direction = "sendonly"
    names = [MID, ABS_SEND_TIME, AUDIO_LEVEL] if line.kind == "audio" else [MID, ABS_SEND_TIME]
    line.extensions = [e for e in line.offered.rtp.headerExtensions if e.uri in names]
    line.codecs = _codecs(line, feedback=False)


def _codecs(line: Line, *, feedback: bool) -> list[RTCRtpCodecParameters]:
    transport_cc = [RTCRtcpFeedback(type="transport-cc")] if feedback else []
    if line.kind == "audio":
        codecs = [c for c in line.codecs if c.mimeType.lower() == "audio/opus"]
        for codec in codecs:
            codec.parameters = {"minptime": 10, "useinbandfec": 1}  # RFC 7587: repairs a lost packet from the next
            codec.rtcpFeedback = list(transport_cc)
    else:
        codecs = list(line.codecs)
        for codec in codecs:
            if codec.name.lower() != "rtx":
                codec.rtcpFeedback = [*codec.rtcpFeedback, *transport_cc]
    if not codecs:
        raise ValueError(f"this offer cannot be answered: line {line.mid} has no codec we forward")
    return codecs


def codec_key(codec: RTCRtpCodecParameters) -> str:
    """What must agree between sender and viewer: `VP8`, `opus`, `H264/42e0` (profile and constraints)."""
    if codec.name.upper() == "H264":
        return "H264/" + str(codec.parameters.get("profile-level-id", "42e01f"))[:4].lower()
    return codec.name


def type_of(codec: RTCRtpCodecParameters) -> int:
    """The payload type, which a negotiated codec always has."""
    assert codec.payloadType is not None
    return codec.payloadType


def repairs(codecs: list[RTCRtpCodecParameters]) -> dict[int, int]:
    """Payload type of each retransmission format -> the one it repairs (RFC 4588 `apt`)."""
    return {type_of(c): int(c.parameters["apt"] or 0) for c in codecs if c.name.lower() == "rtx"}
