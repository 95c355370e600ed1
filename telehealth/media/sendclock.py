"""Sender reports that keep lips and voice together through the forwarder. Pure.

A publisher's reports pair its own NTP clock with RTP time. Viewers get reports in the server's clock instead (so that
the round trip they let us compute is ours): NTP is moved by one offset for all lines of a publisher, which keeps
picture and sound in step, and RTP time is carried on to now.
"""

from dataclasses import dataclass, field

NTP_EPOCH = 2_208_988_800


def ntp(unix: float) -> int:
    """64-bit NTP time."""
    seconds = int(unix)
    return (seconds + NTP_EPOCH) << 32 | int((unix - seconds) * (1 << 32))


def from_ntp(value: int) -> float:
    """Unix seconds of a 64-bit NTP time."""
    return (value >> 32) - NTP_EPOCH + (value & 0xFFFFFFFF) / (1 << 32)


@dataclass(slots=True)
class PublisherClock:
    """The offset from one publisher's clock to ours: the smallest seen, as the least delayed report tells most."""

    offset: float | None = None

    def report(self, ntp_time: int, now: float) -> None:
        """A sender report arrived at `now` (Unix seconds)."""
        seen = now - from_ntp(ntp_time)
        if self.offset is None or seen < self.offset or seen > self.offset + 1.0:
            self.offset = seen  # the last case: its clock was set


@dataclass(slots=True)
class LineClock:
    """The newest report of one incoming stream."""

    clock_rate: int
    publisher: PublisherClock = field(default_factory=PublisherClock)
    _ntp: int | None = None
    _rtp: int = 0

    def report(self, ntp_time: int, rtp_time: int, now: float) -> None:
        """A sender report arrived."""
        self._ntp, self._rtp = ntp_time, rtp_time
        self.publisher.report(ntp_time, now)

    def at(self, now: float) -> int | None:
        """The stream's RTP time at `now` (Unix seconds), or None before its first report."""
        if self._ntp is None or self.publisher.offset is None:
            return None
        passed = now - (from_ntp(self._ntp) + self.publisher.offset)
        return (self._rtp + round(passed * self.clock_rate)) & 0xFFFFFFFF
