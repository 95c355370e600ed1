"""What a forwarder must know of a payload: does a keyframe start here. Pure; reads untrusted bytes.

VP8: RFC 7741. H.264: RFC 6184 (packetization-mode 1).
"""


def vp8_keyframe(payload: bytes) -> bool:
    """Whether this packet starts a VP8 keyframe."""
    size = len(payload)
    if size < 1:
        return False
    first = payload[0]
    if not first & 0x10 or first & 0x07:  # start of partition, partition index 0
        return False
    at = 1
    if first & 0x80:
        if size < 2:
            return False
        flags = payload[1]
        at = 2
        if flags & 0x80:  # picture id
            if size <= at:
                return False
            at += 2 if payload[at] & 0x80 else 1
        if flags & 0x40:  # TL0PICIDX
            at += 1
        if flags & 0x30:  # TID, KEYIDX
            at += 1
    return size > at and not payload[at] & 0x01


def h264_keyframe(payload: bytes) -> bool:
    """Whether this packet starts an H.264 keyframe: it carries a sequence parameter set or begins an IDR slice."""
    if not payload:
        return False
    kind = payload[0] & 31
    if kind in (5, 7):
        return True
    if kind == 24:  # STAP-A: length and unit, repeated
        at = 1
        while at + 2 < len(payload):
            length = payload[at] << 8 | payload[at + 1]
            if payload[at + 2] & 31 in (5, 7):
                return True
            at += 2 + length
        return False
    # FU-A, first fragment
    return kind == 28 and len(payload) > 1 and bool(payload[1] & 0x80) and payload[1] & 31 in (5, 7)


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether this packet starts a keyframe. Args: codec: `VP8` or `H264`; another is all keyframes (audio)."""
    if codec == "VP8":
        return vp8_keyframe(payload)
    if codec == "H264":
        return h264_keyframe(payload)
    return True
