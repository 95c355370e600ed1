"""The packets since the last keyframe, so that a late viewer has a picture at once. Pure.

Bounded: browsers send keyframes only when asked, so a group can go on for minutes. Past a limit the group is dropped
(and counted) until the next keyframe, and a late viewer waits for the keyframe that is asked for on its behalf.
"""

from telehealth.media.rtp import Packet

MOST_PACKETS = 400
MOST_BYTES = 400_000
MOST_SECONDS = 3.0


class Gop:
    """One layer's packets since its last keyframe, oldest first."""

    __slots__ = ("_bytes", "_key_time", "_packets", "_since", "overflows")

    def __init__(self) -> None:
        self._packets: list[Packet] = []
        self._bytes = 0
        self._since = 0.0
        self._key_time: int | None = None
        self.overflows = 0

    def add(self, packet: Packet, keyframe: bool, now: float) -> None:
        """One packet, in the order of arrival."""
        if keyframe and packet.timestamp != self._key_time:
            # H.264 sends parameter sets and slices of one keyframe as several "starts" of the same time.
            self._packets = [packet]
            self._bytes = len(packet.payload)
            self._since = now
            self._key_time = packet.timestamp
            return
        if not self._packets:
            return
        self._packets.append(packet)
        self._bytes += len(packet.payload)
        if len(self._packets) > MOST_PACKETS or self._bytes > MOST_BYTES or now - self._since > MOST_SECONDS:
            self._packets = []
            self.overflows += 1

    def since_keyframe(self, most_bytes: int, now: float) -> list[Packet]:
        """The group in the order of sequence, or nothing when there is none, it is too old, or larger than that."""
        if not self._packets or self._bytes > most_bytes or now - self._since > MOST_SECONDS:
            return []
        first = self._packets[0].sequence
        inside = [p for p in self._packets if (p.sequence - first) & 0xFFFF < 0x8000]
        inside.sort(key=lambda p: (p.sequence - first) & 0xFFFF)
        return inside
