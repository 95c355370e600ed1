"""What is missing of an incoming stream, and when to ask for it again. Pure."""

from telehealth.media.rtp import ahead

MOST_MISSING = 200
"""Beyond that many missing packets only a keyframe helps; asking for each would add to the jam."""
WINDOW = 500
"""Packets behind the newest after which a missing one is given up."""
TRIES = 8
FIRST_WAIT = 0.006
"""Seconds before the first request: packets that merely overtook each other arrive by then."""


class Gaps:
    """Missing sequence numbers of one stream, each asked for at most TRIES times, a round trip apart."""

    __slots__ = ("_missing", "_newest", "given_up", "repaired")

    def __init__(self) -> None:
        self._newest: int | None = None
        self._missing: dict[int, list[float]] = {}  # number -> [when to ask next, times asked]
        self.given_up = 0
        self.repaired = 0

    def arrived(self, sequence: int, now: float) -> bool:
        """Notes a packet. False: it had arrived before (a duplicate), or is too old to matter."""
        newest = self._newest
        if newest is None:
            self._newest = sequence
            return True
        if not ahead(sequence, newest):
            if self._missing.pop(sequence, None) is not None:
                self.repaired += 1
                return True
            return False
        step = (sequence - newest) & 0xFFFF
        if step > 1:
            if step > WINDOW:
                self.given_up += len(self._missing) + step - 1
                self._missing.clear()
            else:
                for n in range(1, step):
                    self._missing[(newest + n) & 0xFFFF] = [now + FIRST_WAIT, 0]
        self._newest = sequence
        if self._missing:
            self._forget(sequence)
        return True

    def due(self, now: float, round_trip: float) -> list[int]:
        """The numbers to ask for now, in order; at most 64 at once."""
        if not self._missing:
            return []
        wait = max(0.02, round_trip * 1.25)
        asked = []
        for number, state in list(self._missing.items()):
            if now < state[0]:
                continue
            if state[1] >= TRIES:
                del self._missing[number]
                self.given_up += 1
                continue
            state[0] = now + wait
            state[1] += 1
            asked.append(number)
            if len(asked) == 64:
                break
        return asked

    def next_due(self) -> float | None:
        """When the next request is due; None when nothing is missing."""
        return min((state[0] for state in self._missing.values()), default=None)

    def take_lost(self) -> bool:
        """Whether something was given up since the last call: a keyframe is needed."""
        lost, self.given_up = self.given_up > 0, 0
        return lost

    @property
    def missing(self) -> int:
        """How many are missing now."""
        return len(self._missing)

    def _forget(self, newest: int) -> None:
        for number in list(self._missing):
            if (newest - number) & 0xFFFF > WINDOW:
                del self._missing[number]
                self.given_up += 1
            else:
                break
        if len(self._missing) > MOST_MISSING:
            self.given_up += len(self._missing)
            self._missing.clear()
