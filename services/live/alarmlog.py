"""Alarms as they stand, and the last changes of them, each encoded once. Pure.

The log is bounded: who is further behind than it reaches gets a snapshot. Alarms are never conflated.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from services.live.catalogue import Catalogue, Selection
from tram.alarms.model import Alarm, AlarmChange, Priority, State

KEPT = 10_000
"""Changes in the log."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A change, what the alarm was before it (None: not current), and its JSON."""

    change: AlarmChange
    before: Alarm | None
    json: bytes


class AlarmLog:
    """Follows the stream of changes from a snapshot."""

    def __init__(self) -> None:
        self.position = 0
        self._current: dict[int, Alarm] = {}
        self._log: deque[Logged] = deque(maxlen=KEPT)
        self._from = 0

    def restart(self, position: int, current: Iterable[Alarm]) -> None:
        """What stands at a position, whatever was known before."""
        self.position = self._from = position
        self._current = {alarm.id: alarm for alarm in current}
        self._log.clear()

    def apply(self, changes: Sequence[AlarmChange]) -> None:
        """The next changes, in order; those that are known already are passed over."""
        for change in changes:
            if change.seq <= self.position:
                continue
            alarm = change.alarm
            before = self._current.get(alarm.id)
            if alarm.state is State.NORMAL:
                self._current.pop(alarm.id, None)
            else:
                self._current[alarm.id] = alarm
            if len(self._log) == KEPT:
                self._from = self._log[0].change.seq
            self._log.append(Logged(change, before, msgspec.json.encode(change)))
            self.position = change.seq

    def reaches(self, after: int) -> bool:
        """Whether all changes after a place are still here."""
        return after >= self._from

    def since(self, after: int) -> Iterator[Logged]:
        """The changes after a place, oldest first."""
        newer = []
        for logged in reversed(self._log):
            if logged.change.seq <= after:
                break
            newer.append(logged)
        return reversed(newer)

    def on(self, names: Iterable[str]) -> bool:
        """Whether a current alarm is on a Thing of one of these names."""
        wanted = frozenset(names)
        return any(alarm.thing in wanted for alarm in self._current.values())

    def current(self, fits: "AlarmFilter") -> list[bytes]:
        """JSON of the alarms that fit, by id."""
        return [msgspec.json.encode(alarm) for id, alarm in sorted(self._current.items()) if fits(alarm)]

    def events(self, after: int, fits: "AlarmFilter") -> tuple[list[bytes], list[int]]:
        """(changes that concern somebody, ids of alarms that fit no more although they are not normal)."""
        told: list[bytes] = []
        left: dict[int, None] = {}
        for logged in self.since(after):
            alarm = logged.change.alarm
            now = fits(alarm)
            before = logged.before is not None and fits(logged.before)
            if not now and not before:
                continue
            told.append(logged.json)
            left.pop(alarm.id, None)
            if not now and alarm.state is not State.NORMAL:
                left[alarm.id] = None
        return told, list(left)


class AlarmFilter:
    """A selection, asked about alarms."""

    def __init__(self, selection: Selection, catalogue: Catalogue) -> None:
        self._selection, self._catalogue = selection, catalogue
        severity = selection.filter.severity
        self._least = Priority.LOW if severity is None else Priority[severity.upper()]

    def __call__(self, alarm: Alarm) -> bool:
        # A storm entry has no Thing: it fits by area and priority alone, its members fit for themselves.
        if alarm.priority < self._least:
            return False
        selection = self._selection
        entry = self._catalogue.named(alarm.thing) if alarm.thing else None
        if not selection.covers(alarm.area, entry is not None and entry.public):
            return False
        if not selection.place(alarm.thing, alarm.area, entry.thing.kind if entry else ""):
            return False
        if selection.filter.properties is None:
            return True
        return selection.properties(map(self._catalogue.property_of, alarm.datastreams))
