"""Alarms and rules as the API shows them, and what it is asked to do."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from services.deps import Text
from tram.alarms.model import PRIORITY_LABELS, Alarm, AlarmChange, Priority, State
from tram.alarms.plan import Fault
from tram.alarms.statistics import Figures, Frequent
from tram.store.alarm_rules import Out, Stored
from tram.store.alarm_trial import Trial

PriorityWord = Literal["low", "medium", "high", "critical"]
Comment = Annotated[Text, Field(max_length=2000)]


class AlarmOut(BaseModel):
    """An alarm; docs/alarms.md tells what each field is."""

    id: int
    kind: Literal["alarm", "storm"]
    rule: str
    rule_version: int
    state: State
    priority: PriorityWord
    priority_label: dict[str, str]
    level: int
    peak: int
    active: bool
    thing: str
    label: str
    datastreams: list[int]
    area: str | None
    since: AwareDatetime
    changed: AwareDatetime
    raised: AwareDatetime
    alerted: AwareDatetime
    returned: AwareDatetime | None
    acknowledged: AwareDatetime | None
    acknowledged_by: str
    assignee: str
    assignee_name: str = Field("", description="told by `GET /api/alarms/{id}` and `/api/alarms/history`")
    shelved_until: AwareDatetime | None
    escalation: int
    escalate_at: AwareDatetime | None
    closed: AwareDatetime | None
    value: float | None
    message: dict[str, str]
    storm: int | None
    members: int
    raises: int

    @classmethod
    def of(cls, alarm: Alarm, names: Mapping[str, str] | None = None) -> Self:
        """From the store; `names` of people by id."""
        vi, en = PRIORITY_LABELS[alarm.priority]
        given = {name: getattr(alarm, name) for name in cls.model_fields if hasattr(alarm, name)}
        given |= {"priority": alarm.priority.word, "priority_label": {"vi": vi, "en": en}}
        given["assignee_name"] = (names or {}).get(alarm.assignee, "")
        return cls(**(given | {"message": {"vi": alarm.vi, "en": alarm.en}}))


class ChangeOut(BaseModel):
    """One thing that happened to an alarm."""

    seq: int
    at: AwareDatetime
    time: AwareDatetime = Field(description="phenomenonTime it tells of")
    kind: str
    before: State
    state: State
    level_before: int
    level: int
    value: float | None
    who: str
    comment: str
    detail: dict[str, Any]
    names: dict[str, str] = Field({}, description="of the people it speaks of, by id", examples=[{"p:12": "Trực ban"}])

    @classmethod
    def of(cls, change: AlarmChange, names: Mapping[str, str]) -> Self:
        """From the store; `names` of people by id."""
        return cls(
            seq=change.seq, at=change.at, time=change.time, kind=change.kind.value, before=change.before,
            state=change.alarm.state, level_before=change.level_before, level=change.alarm.level,
            value=change.alarm.value, who=change.who, comment=change.comment, detail=dict(change.detail),
            names={one: names[one] for one in spoken_of(change) if one in names},
        )  # fmt: skip


def spoken_of(change: AlarmChange) -> tuple[str, ...]:
    """Ids of who did it and to whom."""
    return change.who, str(change.detail.get("to", ""))


class Said(BaseModel):
    """What a person has to say to it."""

    comment: Comment = ""


class Remark(BaseModel):
    """A remark."""

    comment: Annotated[Text, Field(min_length=1, max_length=2000)]


class Shelf(Said):
    """Until when."""

    until: AwareDatetime = Field(description="at most 7 days from now")


class Assignment(Said):
    """To whom: `p:12`; empty: to nobody."""

    to: Annotated[Text, Field(max_length=40, pattern=r"^(p:[0-9]{1,9})?$")]


class OutIn(Said):
    """A rule at a Thing, and what becomes of it."""

    rule: Annotated[Text, Field(min_length=1, max_length=63)]
    thing: Annotated[Text, Field(min_length=1, max_length=512)]
    mode: Literal["suppressed", "out-of-service", "in-service"]


class OutOut(BaseModel):
    """A rule at a Thing that is out. `holding`: its condition holds now."""

    rule: str
    thing: str
    mode: State
    by: str
    comment: str
    at: AwareDatetime
    holding: bool

    @classmethod
    def of(cls, row: Out) -> Self:
        """From the store."""
        return cls(rule=row.rule, thing=row.thing, mode=row.mode, by=row.by, comment=row.comment, at=row.at,
                   holding=row.level > 0)  # fmt: skip


class FrequentOut(BaseModel):
    """A rule at a Thing, and how often."""

    rule: str
    thing: str
    times: int

    @classmethod
    def of(cls, row: Frequent) -> Self:
        """From the figures."""
        return cls(rule=row.rule, thing=row.thing, times=row.times)


class BarOut(BaseModel):
    """How many were raised in a step of time, by priority."""

    at: AwareDatetime
    raised: dict[str, int]


class FiguresOut(BaseModel):
    """Figures of a period; times in seconds. docs/alarms.md."""

    raised: int
    by_priority: dict[str, int]
    by_rule: dict[str, int]
    active: float
    acknowledged: int
    ack_mean: float | None
    ack_median: float | None
    ack_longest: float | None
    unacknowledged: int
    frequent: list[FrequentOut]
    chattering: list[FrequentOut]
    busiest: int = Field(description="most raised within ten minutes")
    step: int = Field(description="seconds of a bar: at most 121 over the period")
    bars: list[BarOut] = Field(description="in order; those in which nothing was raised are left out")
    flooded: float = Field(description="seconds in flood: from ten raised in ten minutes to fewer than five")

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """From the store."""
        given = {name: getattr(figures, name) for name in cls.model_fields}
        for name in ("frequent", "chattering"):
            given[name] = [FrequentOut.of(row) for row in given[name]]
        given["bars"] = [BarOut(at=at, raised=raised) for at, raised in figures.bars]
        return cls(**given)


class FaultOut(BaseModel):
    """What is wrong with a rule, and in which field."""

    where: str
    what: str

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """From the store."""
        return cls(where=fault.where, what=fault.what)


class RuleOut(BaseModel):
    """A rule as stored."""

    id: str
    version: int
    enabled: bool
    deleted: bool
    rule: dict[str, Any] = Field(description="docs/alarms.md")
    faults: list[FaultOut]
    updated: AwareDatetime
    by: str

    @classmethod
    def of(cls, stored: Stored) -> Self:
        """From the store."""
        return cls(
            id=stored.id, version=stored.version, enabled=stored.enabled, deleted=stored.deleted,
            rule={**stored.document, "enabled": stored.enabled}, faults=[FaultOut.of(f) for f in stored.faults],
            updated=stored.updated, by=stored.by,
        )  # fmt: skip


class TrialIn(BaseModel):
    """A rule, and the time it is tried on; without one the last 7 days."""

    rule: dict[str, Any]
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class FiredOut(BaseModel):
    """One firing; `end` null: it holds still at the end of the span."""

    thing: str
    label: str
    start: AwareDatetime
    end: AwareDatetime | None
    level: int
    value: float | None


class TrialOut(BaseModel):
    """What the rule would have done."""

    times: int
    things: int
    looked_at: int
    used: Literal["raw", "1m"]
    readings: int
    faults: list[FaultOut]
    fired: list[FiredOut] = Field(description="the first 1000")

    @classmethod
    def of(cls, trial: Trial, moment: Any) -> Self:
        """From the store. `moment` turns microseconds into a time."""
        fired = [
            FiredOut(thing=f.thing, label=f.label, start=moment(f.start), level=f.level, value=f.value,
                     end=None if f.end is None else moment(f.end)) for f in trial.fired
        ]  # fmt: skip
        return cls(times=trial.times, things=trial.things, looked_at=trial.looked_at, used=trial.used,  # type: ignore[arg-type]
                   readings=trial.readings, faults=[FaultOut.of(f) for f in trial.faults], fired=fired)  # fmt: skip


Least = Annotated[PriorityWord, Query(description="the lowest priority")]


def rank(word: str) -> Priority:
    """`high` is Priority.HIGH."""
    return Priority[word.upper()]
