"""How many alarms came when, and for how long they came faster than one person can follow. Pure.

ISA-18.2 (2016, 16.5) and EEMUA 191 judge what one operator is told: about one in ten minutes is acceptable, ten in ten
minutes begin a flood, which lasts until there are fewer than five in ten minutes.
"""

from collections import Counter, deque
from datetime import UTC, datetime, timedelta

from tram.alarms.model import Priority

TEN_MINUTES = timedelta(minutes=10)
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
"""In ten minutes: so many or more begin one; fewer than so many end it."""
STEPS = (60, 300, 900, 3600, 7200, 21_600, 86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400)
"""Seconds that a bar may be long."""
MOST_BARS = 121
"""A month of quarter days, and the one it begins in."""
MONDAY = datetime(1970, 1, 5, tzinfo=UTC) - timedelta(hours=7)
"""Where bars begin: at midnight in Việt Nam, those of weeks on a Monday."""


def step_of(start: datetime, end: datetime) -> int:
    """Seconds of a bar: the shortest of STEPS with which the period has no more than MOST_BARS."""
    length = (end - start).total_seconds()
    return next((step for step in STEPS if length / step + 1 <= MOST_BARS), STEPS[-1])


class Load:
    """Takes what was raised within [start, end), in the order of time."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.step = step_of(start, end)
        self._end = end
        self._bars: dict[datetime, Counter[str]] = {}
        self._lately: deque[datetime] = deque()
        self._began: datetime | None = None
        self._flooded = timedelta()

    def raised(self, at: datetime, priority: Priority) -> None:
        """One more."""
        bar = MONDAY + timedelta(seconds=(at - MONDAY).total_seconds() // self.step * self.step)
        self._bars.setdefault(bar, Counter())[priority.word] += 1
        self._pass(at)
        self._lately.append(at)
        if self._began is None and len(self._lately) >= FLOOD_BEGINS:
            self._began = at

    def bars(self) -> list[tuple[datetime, dict[str, int]]]:
        """Where each begins and how many by priority; those in which nothing was raised are left out."""
        return [(at, dict(sorted(found.items()))) for at, found in sorted(self._bars.items())]

    def flooded(self) -> float:
        """Seconds in flood until the end of the period. No more may be taken after."""
        self._pass(self._end)
        if self._began is not None:
            self._flooded += self._end - self._began
            self._began = None
        return self._flooded.total_seconds()

    def _pass(self, now: datetime) -> None:
        """What is ten minutes old leaves, one after another: the flood ends at the moment of the one that ends it."""
        while self._lately and self._lately[0] + TEN_MINUTES <= now:
            left = self._lately.popleft() + TEN_MINUTES
            if self._began is not None and len(self._lately) < FLOOD_ENDS:
                self._flooded += max(left, self._began) - self._began
                self._began = None
