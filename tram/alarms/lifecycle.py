"""The life of an alarm (ISA-18.2, figure 3): what a condition, a person or a clock does to it. Pure.

Every function takes the alarm as it stands and the present, and returns the AlarmChange to store; None: nothing changes
(somebody did it before: doing it again is no error). What cannot be done is a ConflictError that says why.

                    raised                 acknowledge
      NORMAL ─────────────▶ UNACKNOWLEDGED ───────────▶ ACKNOWLEDGED ──┐
        ▲ ▲                   │        ▲ ▲  ◀────────────  upgraded    │ returned
        │ └─── acknowledge ── RETURNED ┘ │                             │
        └──────────────────────────────────────────────────────────────┘
      any open state ── shelve, suppress, take out of service ──▶ SHELVED, SUPPRESSED, OUT OF SERVICE
                     ◀── its end ── UNACKNOWLEDGED while the condition holds, else NORMAL
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tram.alarms.model import OPEN, Alarm, AlarmChange, Kind, Priority, State
from tram.alarms.rules import Step
from tram.errors import ConflictError

ASIDE = frozenset({State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE})
"""States in which an alarm asks nobody for attention."""
LONGEST_SHELF = timedelta(days=7)
SYSTEM = "system"


def raised(alarm: Alarm, now: datetime, steps: Sequence[Step], mode: State | None = None) -> AlarmChange:
    """A new alarm. `mode`: SUPPRESSED or OUT_OF_SERVICE where people took the point out."""
    new = replace(alarm, state=mode or State.UNACKNOWLEDGED, active=True, raised=now, alerted=now)
    if mode is None:
        new = _alert(new, now, steps)
    return AlarmChange(at=now, time=new.changed, kind=Kind.RAISED, before=State.NORMAL, level_before=0, alarm=new)


def levelled(
    alarm: Alarm, level: int, priority: Priority, now: datetime, *, since: datetime, time: datetime,
    value: float | None, vi: str, en: str, steps: Sequence[Step],
) -> AlarmChange:  # fmt: skip
    """Its level became another: up, down, or 0 (returned). A higher one asks for attention again."""
    _open(alarm)
    if level == 0:
        return returned(alarm, now, time)
    again, up = alarm.level == 0, level > alarm.level
    new = replace(
        alarm, level=level, priority=priority, peak=max(level, alarm.peak), active=True, changed=time, value=value,
        vi=vi, en=en, since=since if again else alarm.since, returned=None, raises=alarm.raises + again,
    )  # fmt: skip
    if up and alarm.state not in ASIDE:
        new = _alert(replace(new, state=State.UNACKNOWLEDGED), now, steps)
    kind = Kind.RAISED if again else Kind.UPGRADED if up else Kind.DOWNGRADED
    return _change(alarm, new, kind, now, time=time)


def returned(alarm: Alarm, now: datetime, time: datetime, comment: str = "") -> AlarmChange:
    """The condition is gone."""
    _open(alarm)
    new = replace(alarm, level=0, active=False, changed=time, returned=now)
    if alarm.state is State.ACKNOWLEDGED:
        new = _over(new, now)
    elif alarm.state is State.UNACKNOWLEDGED:
        new = replace(new, state=State.RETURNED, escalate_at=None)
    return _change(alarm, new, Kind.RETURNED, now, time=time, comment=comment)


def acknowledge(alarm: Alarm, who: str, now: datetime, comment: str = "") -> AlarmChange | None:
    """Somebody has seen it."""
    if alarm.state in (State.ACKNOWLEDGED, State.NORMAL):
        return None
    if alarm.state in ASIDE:
        raise ConflictError(f"the alarm is {alarm.state.value}: bring it back first")
    new = replace(alarm, acknowledged=now, acknowledged_by=who, escalate_at=None)
    new = _over(new, now) if alarm.state is State.RETURNED else replace(new, state=State.ACKNOWLEDGED)
    return _change(alarm, new, Kind.ACKNOWLEDGED, now, who=who, comment=comment)


def assign(alarm: Alarm, to: str, who: str, now: datetime, comment: str = "") -> AlarmChange | None:
    """Gives it to somebody (a principal), or to nobody with an empty `to`."""
    _open(alarm)
    if alarm.assignee == to:
        return None
    detail = {"to": to}
    return _change(alarm, replace(alarm, assignee=to), Kind.ASSIGNED, now, who=who, comment=comment, detail=detail)


def comment(alarm: Alarm, text: str, who: str, now: datetime) -> AlarmChange:
    """A remark; also on one that is over."""
    return _change(alarm, alarm, Kind.COMMENTED, now, who=who, comment=text)


def shelve(alarm: Alarm, until: datetime, who: str, now: datetime, comment: str = "") -> AlarmChange | None:
    """Puts it aside until a time; what its condition does meanwhile asks nobody for attention."""
    _open(alarm)
    if alarm.state in (State.SUPPRESSED, State.OUT_OF_SERVICE):
        raise ConflictError(f"the alarm is {alarm.state.value} already")
    if not now < until <= now + LONGEST_SHELF:
        raise ConflictError(f"a shelf ends after now and within {LONGEST_SHELF.days} days")
    if alarm.state is State.SHELVED and alarm.shelved_until == until:
        return None
    new = replace(alarm, state=State.SHELVED, shelved_until=until, escalate_at=None)
    detail = {"until": until.isoformat()}
    return _change(alarm, new, Kind.SHELVED, now, who=who, comment=comment, detail=detail)


def aside(alarm: Alarm, mode: State, who: str, now: datetime, comment: str = "") -> AlarmChange | None:
    """Suppresses it, or takes it out of service, until `restore`."""
    _open(alarm)
    if alarm.state is mode:
        return None
    kind = Kind.SUPPRESSED if mode is State.SUPPRESSED else Kind.OUT_OF_SERVICE
    new = replace(alarm, state=mode, shelved_until=None, escalate_at=None)
    return _change(alarm, new, kind, now, who=who, comment=comment)


def restore(
    alarm: Alarm, who: str, now: datetime, steps: Sequence[Step], comment: str = ""
) -> AlarmChange | None:  # fmt: skip
    """Brings it back from the shelf, from suppression or into service."""
    if alarm.state not in ASIDE:
        return None
    new = replace(alarm, shelved_until=None)
    new = _alert(replace(new, state=State.UNACKNOWLEDGED), now, steps) if alarm.active else _over(new, now)
    kind = Kind.UNSHELVED if alarm.state is State.SHELVED else Kind.RESTORED
    return _change(alarm, new, kind, now, who=who, comment=comment)


def close(alarm: Alarm, who: str, now: datetime, comment: str = "") -> AlarmChange | None:
    """Ends it. While its condition holds a person must say why; it comes back when its level changes."""
    if alarm.state is State.NORMAL:
        return None
    if alarm.active and who != SYSTEM and not comment.strip():
        raise ConflictError("its condition still holds: say in a comment why it is closed")
    return _change(alarm, _over(alarm, now), Kind.CLOSED, now, who=who, comment=comment)


def clock(alarm: Alarm, now: datetime, steps: Sequence[Step]) -> AlarmChange | None:
    """What time alone does: a shelf ends, an unacknowledged alarm goes one step up. None: nothing is due."""
    if alarm.state is State.SHELVED and alarm.shelved_until is not None and alarm.shelved_until <= now:
        return restore(alarm, SYSTEM, now, steps, "the shelf's time is over")
    if alarm.state is not State.UNACKNOWLEDGED or alarm.escalate_at is None or alarm.escalate_at > now:
        return None
    if alarm.escalation >= len(steps):  # the rule has fewer steps than it had
        return _change(alarm, replace(alarm, escalate_at=None), Kind.ESCALATED, now, comment="no further step")
    done = alarm.escalation + 1
    after = alarm.alerted + timedelta(microseconds=steps[done].after.micros) if done < len(steps) else None
    new = replace(alarm, escalation=done, escalate_at=after)
    return _change(alarm, new, Kind.ESCALATED, now, detail={"to": steps[done - 1].to, "step": done})


def grouped(alarm: Alarm, now: datetime, *, storm: int | None = None, members: int | None = None) -> AlarmChange:
    """A member joined a storm entry, or a storm entry has so many members now."""
    new = replace(alarm, storm=storm) if storm is not None else replace(alarm, members=members or alarm.members)
    if storm is None and alarm.state is State.ACKNOWLEDGED:  # what has joined since, nobody has seen
        new = _alert(replace(new, state=State.UNACKNOWLEDGED), now, ())
    return _change(alarm, new, Kind.GROUPED, now)


def _alert(alarm: Alarm, now: datetime, steps: Sequence[Step]) -> Alarm:
    """It asks for attention: the escalation clock starts anew."""
    first = now + timedelta(microseconds=steps[0].after.micros) if steps else None
    return replace(
        alarm, alerted=now, escalation=0, escalate_at=first, acknowledged=None, acknowledged_by="", returned=None
    )


def _over(alarm: Alarm, now: datetime) -> Alarm:
    return replace(alarm, state=State.NORMAL, closed=now, escalate_at=None, shelved_until=None)


def _open(alarm: Alarm) -> None:
    if alarm.state not in OPEN:
        raise ConflictError("the alarm is over")


def _change(
    before: Alarm, after: Alarm, kind: Kind, now: datetime, *, time: datetime | None = None, who: str = SYSTEM,
    comment: str = "", detail: Mapping[str, Any] | None = None,
) -> AlarmChange:  # fmt: skip
    return AlarmChange(
        at=now, time=time or now, kind=kind, before=before.state, level_before=before.level, who=who, comment=comment,
        detail=detail or {}, alarm=after,
    )  # fmt: skip
