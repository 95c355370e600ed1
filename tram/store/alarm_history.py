"""Alarms as lists with filters, what happened to one, and the figures of a period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tram.alarms.model import Alarm, AlarmChange, Kind, Priority, State
from tram.alarms.statistics import Event, Figures, figures
from tram.errors import PayloadError
from tram.store import sqlfile
from tram.store.alarms import alarm_of, change_of
from tram.store.database import Connection, available

MOST_EVENTS = 500_000
"""Most changes that the figures of one period are made from."""
LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alarms. None: any.

    Attributes:
        seen: codes of the areas that whoever asks may see.
        areas: codes that they ask for.
        states, rule, thing: as in the alarm. storm: members of this entry.
        least: the lowest priority.
        grouped: without the members of storms: their entry stands for them.
    """

    seen: Sequence[str] | None = None
    areas: Sequence[str] | None = None
    states: Sequence[State] | None = None
    rule: str | None = None
    thing: str | None = None
    storm: int | None = None
    least: Priority = Priority.LOW
    grouped: bool = False

    def values(self) -> dict[str, object]:
        """For SQL."""
        return {
            "seen": None if self.seen is None else list(self.seen),
            "areas": None if self.areas is None else list(self.areas),
            "states": None if self.states is None else [state.value for state in self.states], "rule": self.rule,
            "thing": self.thing, "storm": self.storm, "least": int(self.least), "grouped": self.grouped,
        }  # fmt: skip


def current(conn: Connection, wanted: Wanted, *, before: int = LAST, limit: int = 100) -> list[Alarm]:
    """Alarms that are not normal, the newest first; the next page is `before` the last id."""
    values = wanted.values() | {"before": before, "limit": limit}
    with available():
        return [alarm_of(*row) for row in conn.execute(sqlfile.load("alarm_history")["current"], values)]


def history(
    conn: Connection, wanted: Wanted, start: datetime, end: datetime, *, before: tuple[datetime, int] | None = None,
    limit: int = 100,
) -> list[Alarm]:  # fmt: skip
    """Alarms raised in [start, end), over or not, the newest first; the next page is `before` the last (raised, id)."""
    time, id = before or (end, LAST)
    values = wanted.values() | {"start": start, "end": end, "before_time": time, "before": id, "limit": limit}
    with available():
        return [alarm_of(*row) for row in conn.execute(sqlfile.load("alarm_history")["history"], values)]


def trim(conn: Connection, before: datetime, limit: int = 2_000) -> int:
    """Deletes alarms that were over before a time, with what happened to them; at most `limit`. Never commits.

    A storm entry goes once none of its members is left.
    """
    with available():
        row = conn.execute(sqlfile.load("alarm_history")["trim"], {"before": before, "limit": limit}).fetchone()
    return int(row[0]) if row else 0


def changes_of(conn: Connection, id: int, *, after: int = 0, limit: int = 1000) -> list[AlarmChange]:
    """What happened to one alarm, in order."""
    with available():
        rows = conn.execute(sqlfile.load("alarm_history")["changes_of"], (id, after, limit)).fetchall()
    return [change_of(*row) for row in rows]


def statistics(conn: Connection, wanted: Wanted, start: datetime, end: datetime) -> Figures:
    """The figures of [start, end).

    Raises:
        PayloadError: more than MOST_EVENTS changes: ask for less time, an area or a rule.
    """
    values = wanted.values() | {"start": start, "end": end, "limit": MOST_EVENTS + 1}
    with available():
        rows = conn.execute(sqlfile.load("alarm_history")["events"], values).fetchall()
    if len(rows) > MOST_EVENTS:
        raise PayloadError(f"more than {MOST_EVENTS} changes: ask for less time, an area or a rule", code="query")
    events = [
        Event(at, Kind(kind), id, rule, thing, area, Priority(priority), State(state), active)
        for at, kind, id, rule, thing, area, priority, state, active in rows
    ]
    return figures(events, start, end)
