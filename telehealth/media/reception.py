"""How well one stream arrives (RFC 3550 appendices A.3 and A.8). Pure."""


class Reception:
    """Counts of one SSRC. `now` is in seconds of one clock."""

    __slots__ = (
        "_base",
        "_cycles",
        "_highest",
        "_jitter",
        "_prior_expected",
        "_prior_received",
        "_rate",
        "_transit",
        "received",
    )

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._base: int | None = None
        self._highest = 0
        self._cycles = 0
        self.received = 0
        self._prior_expected = 0
        self._prior_received = 0
        self._transit: float | None = None
        self._jitter = 0.0

    def add(self, sequence: int, timestamp: int, now: float) -> None:
        """One packet, not a retransmission."""
        if self._base is None:
            self._base = self._highest = sequence
        else:
            step = (sequence - self._highest) & 0xFFFF
            if 0 < step < 0x8000:
                if sequence < self._highest:
                    self._cycles += 1
                self._highest = sequence
        self.received += 1
        transit = now * self._rate - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < 90_000 * 4:  # a wrapped or jumping timestamp says nothing about the path
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    @property
    def extended_highest(self) -> int:
        """Highest sequence number with its cycles."""
        return (self._cycles << 16 | self._highest) & 0xFFFFFFFF

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        return 0 if self._base is None else (self._cycles << 16) + self._highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that did not come; retransmissions may make it negative."""
        return self.expected - self.received

    @property
    def jitter(self) -> int:
        """In RTP ticks."""
        return int(self._jitter)

    @property
    def jitter_ms(self) -> float:
        """In milliseconds."""
        return self._jitter * 1000 / self._rate

    def interval(self) -> tuple[int, int]:
        """(expected, lost) since the last call."""
        expected, received = self.expected - self._prior_expected, self.received - self._prior_received
        self._prior_expected, self._prior_received = self.expected, self.received
        return expected, max(0, expected - received)
