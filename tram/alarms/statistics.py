"""Figures of alarm management (ISA-18.2, 16.5) from the history of changes alone. Pure.

Everything counts by the time it was announced: `start` <= at < `end`.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import NamedTuple

from tram.alarms.load import Load
from tram.alarms.model import Kind, Priority, State

CHATTER = (3, timedelta(seconds=60))
"""An alarm chatters when it is raised so often within this (ISA-18.2, 3.1.20)."""


class Event(NamedTuple):
    """The part of an AlarmChange that figures need; in the order of seq."""

    at: datetime
    kind: Kind
    alarm: int
    rule: str
    thing: str
    area: str | None
    priority: Priority
    state: State
    active: bool


class Frequent(NamedTuple):
    """A rule at a Thing and how often it was raised."""

    rule: str
    thing: str
    times: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a period. Times in seconds; None where there is nothing to tell.

    Attributes:
        raised: how often a condition came. by_priority, by_rule: the same, split.
        active: time that conditions held, all alarms together, within the period.
        acknowledged: how many alarms were acknowledged; ack_mean, ack_median, ack_longest: how long that took.
        unacknowledged: alarms that asked for attention in the period and nobody acknowledged until its end.
        frequent: the most frequent first, at most 20.
        chattering: those raised CHATTER[0] times within CHATTER[1] at least once, with how often in all.
        busiest: most raised within ten minutes.
        step: seconds of a bar. bars: where each begins and how many were raised in it, by priority; none of nothing.
        flooded: time in flood (tram/alarms/load.py), within the period.
    """

    raised: int
    by_priority: dict[str, int]
    by_rule: dict[str, int]
    active: float
    acknowledged: int
    ack_mean: float | None
    ack_median: float | None
    ack_longest: float | None
    unacknowledged: int
    frequent: list[Frequent]
    chattering: list[Frequent]
    busiest: int
    step: int
    bars: list[tuple[datetime, dict[str, int]]]
    flooded: float


def figures(events: Iterable[Event], start: datetime, end: datetime) -> Figures:
    """From the events up to `end`. Those before `start` count for what was standing then: hand them in too."""
    told = _Told(start, end)
    for event in events:
        if event.at < end:
            told.take(event)
    return told.figures()


class _Told:
    def __init__(self, start: datetime, end: datetime) -> None:
        self._start, self._end = start, end
        self._priority: Counter[str] = Counter()
        self._rule: Counter[str] = Counter()
        self._point: Counter[tuple[str, str]] = Counter()
        self._since: dict[int, datetime] = {}
        self._waiting: dict[int, datetime] = {}
        self._active = timedelta()
        self._waits: list[float] = []
        self._lately: dict[tuple[str, str], deque[datetime]] = defaultdict(deque)
        self._chatters: set[tuple[str, str]] = set()
        self._window: deque[datetime] = deque()
        self._busiest = 0
        self._load = Load(start, end)

    def take(self, event: Event) -> None:
        if event.active and event.state is not State.NORMAL:
            self._since.setdefault(event.alarm, event.at)
        elif event.alarm in self._since:
            self._held(self._since.pop(event.alarm), event.at)
        if event.kind is Kind.RAISED and event.at >= self._start:
            self._raised(event)
        if event.kind is Kind.ACKNOWLEDGED and event.alarm in self._waiting:
            asked = self._waiting.pop(event.alarm)
            if event.at >= self._start:
                self._waits.append((event.at - asked).total_seconds())
        elif event.state is State.UNACKNOWLEDGED:
            if event.kind in (Kind.RAISED, Kind.UPGRADED, Kind.UNSHELVED, Kind.RESTORED):
                self._waiting.setdefault(event.alarm, event.at)
        elif event.state is not State.RETURNED:
            self._waiting.pop(event.alarm, None)

    def figures(self) -> Figures:
        for since in self._since.values():
            self._held(since, self._end)
        waits = self._waits
        ranked = sorted(self._point.items(), key=lambda one: (-one[1], one[0]))
        return Figures(
            raised=self._rule.total(), by_priority=dict(sorted(self._priority.items())),
            by_rule=dict(sorted(self._rule.items())), active=self._active.total_seconds(), acknowledged=len(waits),
            ack_mean=fmean(waits) if waits else None, ack_median=median(waits) if waits else None,
            ack_longest=max(waits, default=None),
            unacknowledged=sum(at >= self._start for at in self._waiting.values()),
            frequent=[Frequent(*point, n) for point, n in ranked[:20]],
            chattering=[Frequent(*point, n) for point, n in ranked if point in self._chatters],
            busiest=self._busiest, step=self._load.step, bars=self._load.bars(), flooded=self._load.flooded(),
        )  # fmt: skip

    def _held(self, since: datetime, until: datetime) -> None:
        self._active += max(timedelta(), until - max(since, self._start))

    def _raised(self, event: Event) -> None:
        point = (event.rule, event.thing)
        self._priority[event.priority.word] += 1
        self._load.raised(event.at, event.priority)
        self._rule[event.rule] += 1
        self._point[point] += 1
        lately = self._lately[point]
        lately.append(event.at)
        while lately[0] <= event.at - CHATTER[1]:
            lately.popleft()
        if len(lately) >= CHATTER[0]:
            self._chatters.add(point)
        self._window.append(event.at)
        while self._window[0] <= event.at - timedelta(minutes=10):
            self._window.popleft()
        self._busiest = max(self._busiest, len(self._window))
