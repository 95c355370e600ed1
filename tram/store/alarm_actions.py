"""What people do to alarms, from the API and the command line alike: each in the caller's transaction, twice is once.

The stream's lock comes first, then the alarm is read: what is decided is decided on what stands.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from tram.alarms import lifecycle
from tram.alarms.model import Alarm, AlarmChange, State
from tram.alarms.rules import RuleError, Step
from tram.errors import NotFoundError
from tram.store import alarm_rules, alarms
from tram.store.database import Connection

Decide = Callable[[Alarm, Sequence[Step]], AlarmChange | None]
"""From an alarm as it stands, and its rule's escalation, to what is to be stored."""


def act(conn: Connection, id: int, decide: Decide, now: datetime) -> Alarm:
    """Does something to one alarm; the alarm as it stands then. Never commits.

    Raises:
        NotFoundError: there is none. ConflictError: it cannot be done to it as it stands.
    """
    alarms.lock(conn)
    alarm = alarms.get(conn, id)
    change = decide(alarm, steps(conn, alarm.rule))
    if change is None:
        return alarm
    alarms.write(conn, [change])
    if alarm.storm is not None:
        settled(conn, {alarm.storm}, now)
    return alarms.get(conn, id)


def acknowledge(
    conn: Connection, id: int, who: str, now: datetime, comment: str = "", may: Callable[[Alarm], bool] | None = None
) -> Alarm:
    """Acknowledges an alarm, or a storm with its members. Never commits.

    Args:
        may: for a storm, which of its members whoever asks may reach; the entry itself only if they may reach all.
    """
    alarms.lock(conn)
    alarm = alarms.get(conn, id)
    if alarm.kind != "storm":
        return act(conn, id, lambda a, _: lifecycle.acknowledge(a, who, now, comment), now)
    open_ = alarms.members(conn, [id])
    mine = [m for m in open_ if may is None or may(m)]
    waiting = [m for m in mine if m.state in (State.UNACKNOWLEDGED, State.RETURNED)]
    changes = [lifecycle.acknowledge(member, who, now, comment) for member in waiting]
    if len(mine) == len(open_):
        changes.insert(0, lifecycle.acknowledge(alarm, who, now, comment))
    alarms.write(conn, [change for change in changes if change])
    settled(conn, {id}, now)
    return alarms.get(conn, id)


def put_out(
    conn: Connection, rule: str, thing: str, mode: State | None, who: str, now: datetime, comment: str = ""
) -> None:
    """Suppresses a rule at a Thing, takes it out of service, or restores it (None); its open alarm too. Never commits.

    Raises:
        NotFoundError: no such rule or Thing.
    """
    alarm_rules.get(conn, rule)
    row = conn.execute("SELECT id FROM thing WHERE name = %s", (thing,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no Thing {thing!r}")
    point = (rule, int(row[0]))
    alarms.lock(conn)
    alarm_rules.put_mode(conn, *point, mode, who, comment)
    alarm = alarms.open_at(conn, [point]).get(point)
    if alarm is None:
        return
    if mode is not None:
        change = lifecycle.aside(alarm, mode, who, now, comment)
    elif alarm.state in (State.SUPPRESSED, State.OUT_OF_SERVICE):
        change = lifecycle.restore(alarm, who, now, steps(conn, rule), comment)
    else:
        change = None
    alarms.write(conn, [change] if change else [])
    if alarm.storm is not None:
        settled(conn, {alarm.storm}, now)


def steps(conn: Connection, rule: str) -> Sequence[Step]:
    """A rule's escalation; none for one that is gone."""
    try:
        return alarm_rules.get(conn, rule).rule.escalation
    except (NotFoundError, RuleError):
        return ()


def settled(conn: Connection, storms: set[int], now: datetime) -> list[AlarmChange]:
    """Brings these storm entries to what their members are; also after a person did something to a member."""
    if not storms:
        return []
    members: dict[int, list[Alarm]] = {id: [] for id in storms}
    for member in alarms.members(conn, sorted(storms)):
        if member.storm is not None:
            members[member.storm].append(member)
    changes: list[AlarmChange] = []
    for entry in alarms.by_id(conn, sorted(storms)):
        if entry.state is not State.NORMAL:
            changes += _follow(entry, members[entry.id], now)
    return alarms.write(conn, changes)


def _follow(entry: Alarm, members: Sequence[Alarm], now: datetime) -> list[AlarmChange]:
    active = [m for m in members if m.active]
    if not members:
        change = lifecycle.close(entry, lifecycle.SYSTEM, now, "all its alarms are over")
        return [change] if change else []
    found: list[AlarmChange] = []
    worst = max((m.priority for m in active), default=entry.priority)
    if not active and entry.active:
        found.append(lifecycle.returned(entry, now, max(m.changed for m in members)))
    elif active and (not entry.active or worst != entry.priority):
        new = max(active, key=lambda m: (m.priority, -m.id))
        level = int(worst)
        found.append(
            lifecycle.levelled(
                entry, level, worst, now, since=new.since, time=new.changed, value=None, vi=entry.vi, en=entry.en,
                steps=(),
            )
        )  # fmt: skip
    return found
