"""From what happens to an alarm to the documents that tell the public: an alert, its updates, its end.

A chain is what one rule has said of one alarm: an Alert, Updates that each refer to all before them, at last a Cancel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tram.alarms.model import PRIORITY_LABELS, Alarm, Priority, State
from tram.cap.document import Alert, Area, Category, Certainty, Info, MsgType, Severity, Status, Urgency

SEVERITY: Mapping[Priority, Severity] = {
    Priority.CRITICAL: Severity.EXTREME, Priority.HIGH: Severity.SEVERE, Priority.MEDIUM: Severity.MODERATE,
    Priority.LOW: Severity.MINOR,
}  # fmt: skip
URGENCY: Mapping[Priority, Urgency] = {
    Priority.CRITICAL: Urgency.IMMEDIATE, Priority.HIGH: Urgency.IMMEDIATE, Priority.MEDIUM: Urgency.EXPECTED,
    Priority.LOW: Urgency.FUTURE,
}  # fmt: skip
_SILENT = {State.NORMAL, State.SUPPRESSED, State.OUT_OF_SERVICE}
POSITIONS = 100
"""Most positions of a ring: CAP is read by sirens and sign boards too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which alarms the public is told of, and in what words.

    Attributes:
        id: its name.
        alarm_rules: ids of alarm rules; empty: all.
        least: the lowest priority that is told.
        event, instruction: (vi, en).
        severity, urgency: where it is to be another than the priority's usual.
        expires: how long a document holds; a standing alarm's is renewed.
    """

    id: str
    alarm_rules: Sequence[str] = ()
    least: Priority = Priority.HIGH
    category: Category = Category.OTHER
    certainty: Certainty = Certainty.OBSERVED
    event: tuple[str, str] = ("Cảnh báo", "Alert")
    instruction: tuple[str, str] = ("", "")
    severity: Mapping[Priority, Severity] = field(default_factory=dict)
    urgency: Mapping[Priority, Urgency] = field(default_factory=dict)
    expires: timedelta = timedelta(hours=6)

    def tells(self, alarm: Alarm) -> bool:
        """Whether the public is told of this alarm as it stands."""
        return (
            alarm.kind == "alarm"  # a storm is a fact about the list of alarms, not about the world
            and alarm.active
            and alarm.state not in _SILENT
            and alarm.priority >= self.least
            and (not self.alarm_rules or alarm.rule in self.alarm_rules)
        )


@dataclass(frozen=True, slots=True)
class Said:
    """A document that went out before: what matters of it for the next one."""

    identifier: str
    sent: datetime
    kind: MsgType
    level: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where the alarm is, as far as it is known."""

    vi: str = ""
    en: str = ""
    code: str = ""
    geometry: Mapping[str, Any] | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks. `name`: for people. `web`: where to read on; may be empty."""

    id: str
    name: str
    status: Status
    web: str = ""


def next_document(
    rule: Rule, alarm: Alarm, said: Sequence[Said], *, sender: Sender, place: Place, now: datetime, number: int | str
) -> Alert | None:
    """What is to be said now, if anything.

    Args:
        said: the chain so far, oldest first; what stands before a Cancel is over.
        number: makes the identifier unique: that of the alarm's change, or a count for renewals.
        now: in the province's offset.
    """
    chain = _open(said)
    if rule.tells(alarm):
        if chain and chain[-1].level == alarm.level and now < _renewal(chain[-1], rule):
            return None
        kind = MsgType.UPDATE if chain else MsgType.ALERT
    elif chain:
        kind = MsgType.CANCEL
    else:
        return None
    return Alert(
        identifier=f"{sender.id}-{alarm.id}-{number}", sender=sender.id, sent=now, status=sender.status, kind=kind,
        references=[(sender.id, one.identifier, one.sent) for one in chain], incidents=f"{sender.id}-{alarm.id}",
        infos=[_info(rule, alarm, kind, sender, place, now, language) for language in (0, 1)],
        note="" if sender.status is Status.ACTUAL else "Thử nghiệm, không hành động theo / Test, do not act on it",
    )  # fmt: skip


def _open(said: Sequence[Said]) -> list[Said]:
    """The chain since its last end."""
    chain: list[Said] = []
    for one in said:
        chain = [] if one.kind is MsgType.CANCEL else [*chain, one]
    return chain


def _renewal(last: Said, rule: Rule) -> datetime:
    """When a standing alarm's document is renewed: before it runs out."""
    return last.expires - rule.expires / 6


def _info(rule: Rule, alarm: Alarm, kind: MsgType, sender: Sender, place: Place, now: datetime, language: int) -> Info:
    over = kind is MsgType.CANCEL
    what = (alarm.vi, alarm.en)[language]
    name = (place.vi, place.en or place.vi)[language]
    label = alarm.label or alarm.thing
    ended = ("Đã hết: ", "Over: ")[language] if over else ""
    headline = f"{ended}{rule.event[language]}" + (f", {name}" if name else "")
    return Info(
        language=("vi-VN", "en-US")[language], category=rule.category, event=rule.event[language],
        urgency=Urgency.PAST if over else rule.urgency.get(alarm.priority, URGENCY[alarm.priority]),
        severity=rule.severity.get(alarm.priority, SEVERITY[alarm.priority]), certainty=rule.certainty,
        onset=alarm.since.astimezone(now.tzinfo), expires=now + (timedelta(hours=1) if over else rule.expires),
        sender_name=sender.name, headline=headline[:160],
        description=f"{label}: {what}" if label and label not in what else what,
        instruction="" if over else rule.instruction[language], web=sender.web,
        parameters=[("TramPriority", PRIORITY_LABELS[alarm.priority][1]), ("TramLevel", str(alarm.level))],
        areas=[_area(place, name or label)],
    )  # fmt: skip


def _area(place: Place, name: str) -> Area:
    rings = _rings(place.geometry) if place.geometry is not None else []
    circle = None if rings or place.point is None else (*place.point, 1.0)
    return Area(name, rings, circle, place.code)


def _rings(geometry: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """Outer rings, thinned: CAP knows no holes."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates") or []
    polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(str(kind), [])
    return [_thinned([(float(p[0]), float(p[1])) for p in polygon[0]]) for polygon in polygons if polygon]


def _thinned(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most POSITIONS of a ring's, the first and last among them: those that a coarser border needs most."""
    thin, tolerance = ring, max(abs(x - ring[0][0]) + abs(y - ring[0][1]) for x, y in ring) / 4000
    while len(thin) > POSITIONS:
        middle = len(ring) // 2  # a ring has no ends: it is thinned as two lines
        thin = [*_line(ring[: middle + 1], tolerance)[:-1], *_line(ring[middle:], tolerance)]
        tolerance *= 2
    if len(thin) >= 4:
        return thin
    return [*ring[: -1 : len(ring) // 4 + 1][:4], ring[0]] if len(ring) > POSITIONS else ring


def _line(points: list[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """Douglas and Peucker's, without recursion."""
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        far, at = 0.0, 0
        for n in range(first + 1, last):
            x, y = points[n]
            off = abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length if length else (
                (x - x0) ** 2 + (y - y0) ** 2) ** 0.5  # fmt: skip
            if off > far:
                far, at = off, n
        if far > tolerance:
            keep.add(at)
            spans += [(first, at), (at, last)]
    return [points[n] for n in sorted(keep)]
