"""How many Observations are stored, and how many each second: counted once, then kept by the committed stream.

A count(*) of a hypertable takes seconds, so it runs once; from there each batch of the stream says what changed. The
order of its seq is the order of commit (docs/adr/0021), so nothing is missed by asking for what is greater.
"""

from collections import deque
from dataclasses import dataclass

from tram.store.committed import Op

SECONDS = 120
"""How far back the rate is known."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Observations a second: `per_second[-1]` is the last whole second, `until` its end in Unix seconds."""

    until: int
    per_second: list[int]
    now: float


class Tally:
    """Counts what the stream says. Not safe from several threads at once.

    Attributes:
        position: the seq of the last batch that was added.
        total: Observations stored, or None while they were not counted yet.
        last: when the last batch was committed, in Unix seconds.
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.total: int | None = None
        self.last: float | None = None
        self._counted = 0
        self._before: list[tuple[int, int]] = []
        self._seconds: deque[tuple[int, int]] = deque()

    def base(self, total: int, position: int) -> None:
        """`total` were stored in the snapshot whose last seq was `position`; batches added meanwhile count on top."""
        self.total = total + sum(change for seq, change in self._before if seq > position)
        self._counted = position
        self._before.clear()

    def add(self, seq: int, at: float, op: int, n: int) -> None:
        """A batch of the stream, in the order of seq: `n` rows at Unix time `at`. One added before is passed over."""
        if seq <= self.position:
            return
        self.position = seq
        change = n if op == Op.INSERT else -n if op == Op.DELETE else 0
        if self.total is None:
            self._before.append((seq, change))
        elif seq > self._counted:
            self.total += change
        self.last = at if self.last is None else max(self.last, at)
        if op == Op.INSERT:
            self._seconds.append((int(at), n))
            self._forget(int(at) - 2 * SECONDS)

    def rates(self, now: float, over: int = 10) -> Rates:
        """The last SECONDS whole seconds before Unix time `now`; `.now` is the mean of the last `over` of them."""
        until = int(now)
        first = until - SECONDS
        per_second = [0] * SECONDS
        for second, n in self._seconds:
            if first <= second < until:
                per_second[second - first] += n
        return Rates(until, per_second, sum(per_second[-over:]) / over)

    def _forget(self, before: int) -> None:
        while self._seconds and self._seconds[0][0] < before:
            self._seconds.popleft()
