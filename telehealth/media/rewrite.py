"""Sequence numbers and timestamps of one outgoing stream whose source changes under it. Pure.

The viewer must see ONE stream: numbers that go on by one and times that go on with the clock, whatever is behind it.
So a change of source chooses new offsets; between changes both are constant, which keeps the source's order and gaps
as they are (the viewer's NACKs name what is really missing).
"""

from telehealth.media.rtp import ahead


class Rewriter:
    """Offsets for one outgoing stream.

    Args:
        clock_rate: RTP ticks a second.
        sequence: the first number to use; below 2**15, so that SRTP's rollover counter starts unambiguously (RFC 3711).
    """

    __slots__ = ("_first", "_rate", "_sequence_offset", "_time_offset", "last_at", "last_sequence", "last_timestamp")

    def __init__(self, clock_rate: int, sequence: int) -> None:
        self._rate = clock_rate
        self._first: int | None = None
        self._sequence_offset = 0
        self._time_offset = 0
        self.last_sequence = (sequence - 1) & 0xFFFF
        self.last_timestamp: int | None = None
        self.last_at = 0.0

    def switch(self, sequence: int, timestamp: int, now: float, *, same_clock: bool) -> None:
        """The next packet is `sequence` of another source (or of the same after a pause).

        Args:
            now: seconds of a monotonic clock.
            same_clock: the timestamps go on from the same source (a pause): their offset stays.
        """
        self._first = sequence
        self._sequence_offset = (self.last_sequence + 1 - sequence) & 0xFFFF
        if self.last_timestamp is None:
            self._time_offset = 0
        elif not same_clock:
            passed = max(1, round((now - self.last_at) * self._rate))
            self._time_offset = (self.last_timestamp + passed - timestamp) & 0xFFFFFFFF

    def map(self, sequence: int, timestamp: int, now: float) -> tuple[int, int] | None:
        """The outgoing number and time, or None for a packet from before the switch."""
        if self._first is None or ahead(self._first, sequence):
            return None
        # Half the number space after the switch, "before it" could no longer be told: move the mark along.
        if (sequence - self._first) & 0xFFFF > 0x4000:
            self._first = (sequence - 0x2000) & 0xFFFF
        out = (sequence + self._sequence_offset) & 0xFFFF
        time = (timestamp + self._time_offset) & 0xFFFFFFFF
        if ahead(out, self.last_sequence):
            self.last_sequence = out
            self.last_timestamp = time
            self.last_at = now
        return out, time

    @property
    def time_offset(self) -> int:
        """Outgoing minus incoming timestamp, mod 2**32."""
        return self._time_offset
