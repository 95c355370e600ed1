"""Flood control: many alarms at once become one entry (ISA-18.2, 16.7: more than 10 in 10 minutes is a flood). Pure.

A rule has its own bounds (`storm`); beside them there is one for all rules together. A storm that is under way takes
every new alarm of its kind until it has been quiet for QUIET times its window.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

EVERYTHING = ""
"""The key of the storm of several rules together."""
ALL = (50, timedelta(seconds=60))
"""When alarms of all rules together are a storm."""
QUIET = 5


class Join(NamedTuple):
    """The new alarm belongs to the storm entry of this id."""

    key: str
    storm: int


class Begin(NamedTuple):
    """A storm begins: with the new alarm, these are its first members."""

    key: str
    members: tuple[int, ...]


@dataclass
class _Kind:
    count: int
    within: timedelta
    recent: deque[tuple[datetime, int]] = field(default_factory=deque)
    storm: int | None = None
    last: datetime | None = None


class Flood:
    """What was raised lately, by rule. Alarms that people took out of sight are none of its business."""

    def __init__(self, bounds: Mapping[str, tuple[int, timedelta]], everything: tuple[int, timedelta] = ALL) -> None:
        """`bounds`: rule -> (more than so many, within)."""
        self._kinds = {rule: _Kind(*bound) for rule, bound in bounds.items()}
        self._kinds[EVERYTHING] = _Kind(*everything)

    def raised(self, rule: str, alarm: int, at: datetime) -> Join | Begin | None:
        """What becomes of an alarm that was just raised: nothing special, or a storm's member."""
        keys = [key for key in (rule, EVERYTHING) if key in self._kinds]
        for key in keys:
            self._forget(key, at)
        verdict: Join | Begin | None = None
        for key in keys:
            kind = self._kinds[key]
            kind.last = at
            if verdict is None and kind.storm is not None:
                verdict = Join(key, kind.storm)
        for key in keys:
            kind = self._kinds[key]
            if verdict is not None:
                break
            kind.recent.append((at, alarm))
            if len(kind.recent) > kind.count:
                verdict = Begin(key, tuple(id for _, id in kind.recent))
        if isinstance(verdict, Begin):
            gone = set(verdict.members)
            for kind in self._kinds.values():  # a member of one storm begins no other
                kind.recent = deque(one for one in kind.recent if one[1] not in gone)
        return verdict

    def began(self, key: str, storm: int, at: datetime) -> None:
        """The storm entry has this id now; also for one that was under way before a restart."""
        if key in self._kinds:
            self._kinds[key].storm, self._kinds[key].last = storm, at

    def ended(self, key: str) -> None:
        """Its entry was closed: what comes now is no part of it."""
        if key in self._kinds:
            self._kinds[key].storm = None

    def _forget(self, key: str, now: datetime) -> None:
        kind = self._kinds[key]
        while kind.recent and kind.recent[0][0] <= now - kind.within:
            kind.recent.popleft()
        if kind.storm is not None and kind.last is not None and now - kind.last > QUIET * kind.within:
            kind.storm = None
