"""An alarm and what happened to it: the words of ISA-18.2 (ANSI/ISA-18.2-2016, 5.2 and figure 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any


class State(StrEnum):
    """Where an alarm stands. The letters in brackets are the standard's own."""

    NORMAL = "normal"
    """Over: its condition is gone and somebody has seen it, or nobody had to (A). The row is history."""
    UNACKNOWLEDGED = "unacknowledged"
    """Its condition holds, nobody has said that they saw it (B)."""
    ACKNOWLEDGED = "acknowledged"
    """Its condition holds, somebody is on it (C)."""
    RETURNED = "returned-unacknowledged"
    """Its condition is gone before anybody saw it (D)."""
    SHELVED = "shelved"
    """Put aside by an operator until a time (E)."""
    SUPPRESSED = "suppressed"
    """Not to be shown by design: the plant is in a state in which it means nothing (F)."""
    OUT_OF_SERVICE = "out-of-service"
    """Taken out for maintenance, until somebody puts it back (G)."""


class Priority(IntEnum):
    """How soon somebody must act; larger is more urgent. In JSON and TOML its name in small letters."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """`low`, `medium`, `high`, `critical`."""
        return self.name.lower()


PRIORITY_LABELS: Mapping[Priority, tuple[str, str]] = {
    Priority.CRITICAL: ("Nghiêm trọng", "Critical"),
    Priority.HIGH: ("Cao", "High"),
    Priority.MEDIUM: ("Trung bình", "Medium"),
    Priority.LOW: ("Thấp", "Low"),
}
"""(vi, en)."""


class Kind(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    RETURNED = "returned"
    """The condition is gone; `state` says whether it still waits to be acknowledged."""
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out-of-service"
    RESTORED = "restored"
    """Suppressed or out of service no more."""
    CLOSED = "closed"
    """Closed by a person, or because its rule or its Thing is gone."""
    GROUPED = "grouped"
    """Of a member: it joined the storm entry `alarm.storm`. Of a storm entry: its `members` grew."""


OPEN = frozenset(State) - {State.NORMAL}
"""States of alarms that are in the list of current ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm: from its raising until it is normal again. Times are aware UTC datetimes.

    Attributes:
        id: of this occurrence; 0 before it is stored.
        kind: `alarm`; or `storm`, the one entry of the list that stands for many alarms raised at once.
        rule, rule_version: what raised it. A storm of several rules has the rule ``.
        state, priority: as above. The priority is the present level's, or the highest there was once it has returned.
        level: the rule's level that holds now, from 1; 0 when the condition is gone.
        peak: the highest level there was.
        active: whether the condition holds, whatever the state.
        thing: name of the Thing on the wire; empty for a storm. `thing_id` its id, `label` what people call it.
        datastreams: ids of the Datastreams that the condition looks at.
        area: code of the area; None: in none.
        since: phenomenonTime from which the condition held.
        changed: phenomenonTime of the last change of its level.
        raised: when it was announced, by the server's clock; the escalation clock runs from `alerted`.
        alerted: when it last asked for attention: raised, upgraded, or back from the shelf.
        returned, acknowledged, closed: by the server's clock; None: not (yet, or since it was alerted again).
        acknowledged_by, assignee: principals (`p:12`); empty: nobody.
        shelved_until: end of the shelf. escalate_at: when the next step of the escalation comes; `escalation`: done.
        value: the number that raised it or changed its level; None where there is none (no data, a geofence).
        vi, en: what people read.
        storm: id of the storm entry that it belongs to. members: how many belong to this storm entry.
        raises: how often the condition came while this entry was open.
    """

    id: int = 0
    kind: str = "alarm"
    rule: str
    rule_version: int = 1
    state: State
    priority: Priority
    level: int
    peak: int
    active: bool
    thing: str = ""
    thing_id: int | None = None
    label: str = ""
    datastreams: tuple[int, ...] = ()
    area: str | None = None
    since: datetime
    changed: datetime
    raised: datetime
    alerted: datetime
    returned: datetime | None = None
    acknowledged: datetime | None = None
    acknowledged_by: str = ""
    assignee: str = ""
    shelved_until: datetime | None = None
    escalation: int = 0
    escalate_at: datetime | None = None
    closed: datetime | None = None
    value: float | None = None
    vi: str = ""
    en: str = ""
    storm: int | None = None
    members: int = 0
    raises: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChange:
    """One thing that happened to one alarm, and the whole alarm as it stands since.

    Attributes:
        seq: rises in the order of commit.
        at: when it was stored. `time`: the phenomenonTime it tells of, for what a condition did; else the same as `at`.
        kind: what happened. A change that does two things (a late acknowledgement makes it normal) is one row.
        before: the state before it; NORMAL for RAISED.
        level_before: likewise.
        who: principal who did it; `system` for conditions and clocks.
        comment: as the person typed it, or why the system did it.
        detail: more of it: {"to": …, "step": …} of an escalation.
        alarm: after the change.
    """

    seq: int = 0
    at: datetime
    time: datetime
    kind: Kind
    before: State
    level_before: int
    who: str = "system"
    comment: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    alarm: Alarm
