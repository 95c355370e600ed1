"""Who is told of what, and when: preferences, quiet hours, floods, and how often a delivery is tried again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tram.alarms.model import AlarmChange, Kind, Priority

TOLD = frozenset({Kind.RAISED, Kind.UPGRADED, Kind.ESCALATED})
"""What always asks for attention; RETURNED by choice, ASSIGNED for whom it names."""
TRIES = 12
FIRST_WAIT = 5.0
LONGEST_WAIT = 3600.0
WINDOW = timedelta(minutes=10)
"""The time over which messages are counted for a flood, and from one digest to the next."""
DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What one person wants to hear.

    Attributes:
        enabled: False: nothing at all.
        least: the lowest priority.
        areas: codes; they and what lies below them; empty: all that they may see.
        rules: ids of alarm rules; empty: all.
        returned: whether they are told when it is over.
        quiet: (from, until) in minutes of the province's day; None: no quiet hours. They may pass midnight.
        critical_passes: whether critical alarms come in quiet hours too.
        flood: messages in ten minutes to one channel after which the rest is put together in a digest.
    """

    enabled: bool = True
    least: Priority = Priority.MEDIUM
    areas: Sequence[str] = ()
    rules: Sequence[str] = ()
    returned: bool = False
    quiet: tuple[int, int] | None = None
    critical_passes: bool = True
    flood: int = 6


def wants(
    preferences: Preferences, principal: str, change: AlarmChange, path: Sequence[str], *, storms: bool = True,
    roles: Collection[str] = (),
) -> bool:  # fmt: skip
    """Whether somebody wants to hear of a change.

    Args:
        path: codes of the alarm's area, from the root.
        roles: words of the roles they hold: an escalation may name one (`role:city-admin`), or a person (`p:12`);
            those it names hear of it whatever their preferences, the others do not.
        storms: whether they hear of storm entries, which lie in no area: then of a storm's members they do not.
    """
    alarm = change.alarm
    if not preferences.enabled:
        return False
    if change.kind is Kind.ASSIGNED:
        return alarm.assignee == principal and change.who != principal
    if change.kind is Kind.ESCALATED:
        kind, _, name = str(change.detail.get("to", "")).partition(":")
        if kind == "p":
            return f"p:{name}" == principal
        if kind == "role":
            return name in roles
        if not kind:
            return False  # the rule has no further step
    if change.kind not in TOLD and not (preferences.returned and change.kind is Kind.RETURNED):
        return False
    return (
        not (storms and alarm.storm is not None)
        and alarm.priority >= preferences.least
        and (not preferences.rules or alarm.rule in preferences.rules)
        and (not preferences.areas or not set(preferences.areas).isdisjoint(path))
    )


def due(preferences: Preferences, priority: Priority, now: datetime, utc_offset: int) -> datetime:
    """When a message may go: now, or at the end of the quiet hours that now lies in."""
    if preferences.quiet is None or (priority is Priority.CRITICAL and preferences.critical_passes):
        return now
    first, last = preferences.quiet
    local = now.astimezone(timezone(timedelta(hours=utc_offset)))
    minute = local.hour * 60 + local.minute
    if first == last or not (minute - first) % DAY < (last - first) % DAY:
        return now
    ends = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=last)
    return ends if ends > local else ends + timedelta(days=1)


def wait(tries: int) -> float:
    """Seconds until the next try, after so many."""
    return float(min(FIRST_WAIT * 2 ** max(0, tries - 1), LONGEST_WAIT))
