"""What share of a stream is lost, by its viewer's reports. Pure.

A report counts what was lost since the one before, a second or less: of thirty packets, when one in twenty is lost by
chance, one report in sixteen has lost four and more. Whoever took each at its word would see a full link in bad air.
"""

REMEMBERED = 200
"""Packets that what was known before counts for: two seconds of a good picture."""
FIRST = 30
"""Packets that a report counts for when it is not known of how many it tells."""
STRANGE = 10_000
"""Packets that no report tells of: another stream's numbers."""


class Losses:
    """Of one stream."""

    __slots__ = ("_highest", "average", "latest")

    def __init__(self) -> None:
        self._highest: int | None = None
        self.average = 0.0
        self.latest = 0.0

    def report(self, fraction: float, highest: int) -> None:
        """One reception report (RFC 3550 section 6.4.1).

        Args:
            fraction: share lost since the report before, 0 to 1.
            highest: the extended highest sequence number received.
        """
        told = FIRST if self._highest is None else (highest - self._highest) & 0xFFFFFFFF
        self._highest = highest
        if told >= STRANGE:
            told = FIRST
        self.latest = fraction
        self.average += (fraction - self.average) * told / (told + REMEMBERED)
