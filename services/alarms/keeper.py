"""From what the engine says to what is stored: alarms, storm entries, the points' levels. The caller commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tram import units
from tram.alarms import lifecycle
from tram.alarms.flood import EVERYTHING, Begin, Flood, Join
from tram.alarms.model import Alarm, AlarmChange, Priority, State
from tram.alarms.plan import Place, Plan
from tram.alarms.rules import Rule, Step
from tram.alarms.unit import Transition
from tram.clock import from_micros
from tram.store import alarm_rules, alarms
from tram.store.alarm_actions import settled
from tram.store.database import Connection

Point = tuple[str, int]


@dataclass
class Known:
    """What texts and clocks need: the plans by rule, the Things by id, units by property."""

    plans: Mapping[str, Plan]
    places: Mapping[int, Place]
    units: Mapping[str, str]

    def steps(self, rule: str) -> Sequence[Step]:
        """Of the rule's escalation; none for a rule that is gone."""
        plan = self.plans.get(rule)
        return plan.rule.escalation if plan else ()


class Keeper:
    """Stores transitions. The flood's memory lives here; `recall` fills it from the store."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._flood = Flood(
            {
                id: (p.rule.storm.count, timedelta(microseconds=p.rule.storm.within.micros))
                for id, p in known.plans.items()
            }
        )

    def recall(self, conn: Connection, now: datetime) -> None:
        """What was raised lately and which storms are under way, from the store."""
        for rule, id, at in alarm_rules.recently_raised(conn, now - timedelta(minutes=10)):
            self._flood.raised(rule, id, at)
        for entry in alarms.storms(conn):
            self._flood.began(entry.rule, entry.id, max(entry.changed, entry.alerted))

    def apply(self, conn: Connection, transitions: Sequence[Transition], now: datetime) -> list[AlarmChange]:
        """Stores what follows from transitions, in order. Never commits."""
        if not transitions:
            return []
        alarms.lock(conn)
        points = list(dict.fromkeys((t.rule, t.thing_id) for t in transitions))
        work = _Work(conn, self.known, alarms.open_at(conn, points), alarm_rules.modes(conn, points), now)
        work.reserve(sum(1 for one in transitions if one.before == 0))
        for one in transitions:
            work.transition(one, self._flood)
        stored = work.store()
        alarm_rules.tell(conn, {(t.rule, t.thing_id): t.level for t in transitions})
        stored += self.settle_storms(conn, {c.alarm.storm for c in stored if c.alarm.storm}, now)
        return stored

    def clocks(self, conn: Connection, now: datetime) -> list[AlarmChange]:
        """Ends shelves, takes escalations a step up. Never commits."""
        if not alarms.clocks(conn, now, 1):
            return []
        alarms.lock(conn)
        changes = [lifecycle.clock(alarm, now, self.known.steps(alarm.rule)) for alarm in alarms.clocks(conn, now)]
        stored = alarms.write(conn, [change for change in changes if change])
        return stored + self.settle_storms(conn, {c.alarm.storm for c in stored if c.alarm.storm}, now)

    def close_gone(self, conn: Connection, now: datetime) -> list[AlarmChange]:
        """Closes alarms whose rule is switched off or gone, or whose Thing is. Never commits."""
        there = {(id, thing) for id, plan in self.known.plans.items() for thing in plan.things.tolist()}
        gone = set(alarm_rules.standing(conn)) - there
        if not gone:
            return []
        alarms.lock(conn)
        changes = []
        for (rule, _), alarm in alarms.open_at(conn, sorted(gone)).items():
            why = "its rule looks at it no more" if rule in self.known.plans else "its rule was switched off or deleted"
            changes.append(lifecycle.close(alarm, lifecycle.SYSTEM, now, why))
        stored = alarms.write(conn, [change for change in changes if change])
        alarm_rules.forget(conn, gone)
        return stored + self.settle_storms(conn, {c.alarm.storm for c in stored if c.alarm.storm}, now)

    def settle_storms(self, conn: Connection, storms: set[int | None], now: datetime) -> list[AlarmChange]:
        """Storm entries follow their members: as urgent as the worst, returned when none holds, over when none is."""
        changes = settled(conn, {id for id in storms if id is not None}, now)
        for change in changes:
            if change.alarm.state is State.NORMAL:
                self._flood.ended(change.alarm.rule)
        return changes


class _Work:
    """One transaction's changes while they are made."""

    def __init__(
        self, conn: Connection, known: Known, opened: dict[Point, Alarm], modes: Mapping[Point, State], now: datetime
    ) -> None:
        self._conn, self._known, self._now = conn, known, now
        self._opened, self._modes = opened, modes
        self._changes: list[AlarmChange] = []
        self._grown: dict[int, int] = {}
        self._storms: dict[int, bool] = {}
        self._ids: list[int] = []

    def transition(self, one: Transition, flood: Flood) -> None:
        """What it does to the alarm of its point."""
        point = (one.rule, one.thing_id)
        plan = self._known.plans.get(one.rule)
        if plan is None:
            return
        alarm = self._opened.get(point)
        steps = plan.rule.escalation
        if alarm is None:
            if one.level == 0:
                return  # somebody closed it before
            made = lifecycle.raised(self._new(one, plan), self._now, steps, self._modes.get(point))
            verdict = None
            if made.alarm.state is State.UNACKNOWLEDGED:
                verdict = flood.raised(one.rule, made.alarm.id, self._now)
                while isinstance(verdict, Join) and not self._stands(verdict.storm):
                    flood.ended(verdict.key)  # a person closed it, or acknowledged the last of it
                    verdict = flood.raised(one.rule, made.alarm.id, self._now)
            if isinstance(verdict, Join):
                made = replace(made, alarm=replace(made.alarm, storm=verdict.storm, escalate_at=None))
                self._grown[verdict.storm] = self._grown.get(verdict.storm, 0) + 1
            self._put(point, made)
            if isinstance(verdict, Begin):
                self._begin(verdict, plan.rule, flood)
            return
        level = one.level
        vi, en, rank = self._words(one, plan.rule, level) if level else (alarm.vi, alarm.en, alarm.priority)
        change = lifecycle.levelled(
            alarm, level, rank, self._now, since=from_micros(one.since), time=from_micros(one.at), value=one.value,
            vi=vi, en=en, steps=() if alarm.storm else steps,
        )  # fmt: skip
        self._put(point, change)

    def _stands(self, storm: int) -> bool:
        """Whether a storm entry is open."""
        if storm not in self._storms:
            begun = any(change.alarm.id == storm for change in self._changes)
            found = [] if begun else alarms.by_id(self._conn, [storm])
            self._storms[storm] = begun or any(entry.state is not State.NORMAL for entry in found)
        return self._storms[storm]

    def store(self) -> list[AlarmChange]:
        """Writes all of it, the storm entries' new sizes last."""
        ids = set(self._grown)
        entries = {alarm.id: alarm for alarm in alarms.by_id(self._conn, sorted(ids))} if ids else {}
        latest = {change.alarm.id: change.alarm for change in self._changes}
        for id, n in sorted(self._grown.items()):
            entry = latest.get(id) or entries.get(id)
            if entry is None or entry.state is State.NORMAL:
                continue
            size = entry.members + n
            rule = self._known.plans.get(entry.rule)
            vi, en = _storm_words(size, rule.rule if rule else None)
            self._changes.append(lifecycle.grouped(replace(entry, vi=vi, en=en), self._now, members=size))
        return alarms.write(self._conn, self._changes)

    def _put(self, point: Point, change: AlarmChange) -> None:
        self._changes.append(change)
        if change.alarm.state is State.NORMAL:
            self._opened.pop(point, None)
        else:
            self._opened[point] = change.alarm

    def reserve(self, n: int) -> None:
        """Ids for so many new alarms."""
        self._ids += alarms.reserve(self._conn, n)

    def _id(self) -> int:
        if not self._ids:
            self.reserve(1)
        return self._ids.pop(0)

    def _new(self, one: Transition, plan: Plan) -> Alarm:
        place = self._known.places[one.thing_id]
        vi, en, rank = self._words(one, plan.rule, one.level)
        return Alarm(
            id=self._id(), rule=one.rule, rule_version=one.version, state=State.UNACKNOWLEDGED, priority=rank,
            level=one.level, peak=one.level, active=True, thing=place.name, thing_id=one.thing_id, label=place.label,
            datastreams=plan.datastreams(one.thing_id), area=place.area, since=from_micros(one.since),
            changed=from_micros(one.at), raised=self._now, alerted=self._now, value=one.value, vi=vi, en=en,
        )  # fmt: skip

    def _words(self, one: Transition, rule: Rule, level: int) -> tuple[str, str, Priority]:
        """What people read, and how urgent it is."""
        place, chosen = self._known.places[one.thing_id], rule.levels[level - 1]
        name = place.label or place.name
        vi = f"{name}: {rule.vi}" + (f", {chosen.vi}" if chosen.vi else "")
        en = f"{name}: {rule.en}" + (f", {chosen.en}" if chosen.en else "")
        if one.value is not None:
            plan = self._known.plans[one.rule]
            column = plan.decisive(level)
            code = self._known.units.get(plan.inputs[column].property, "") if column is not None else ""
            number = f"{one.value:.6g}"
            vi += f" ({number.replace('.', ',')} {units.written(code, 'vi')})".replace(" )", ")")
            en += f" ({number} {units.written(code, 'en')})".replace(" )", ")")
        return vi, en, chosen.rank

    def _begin(self, verdict: Begin, rule: Rule, flood: Flood) -> None:
        """Makes the storm's entry and puts its first members into it."""
        id, mine = self._id(), {alarm.id: (point, alarm) for point, alarm in self._opened.items()}
        others = alarms.by_id(self._conn, [m for m in verdict.members if m not in mine])
        first = [(p, a) for p, a in (mine[m] for m in verdict.members if m in mine)]
        first += [((a.rule, a.thing_id or 0), a) for a in others if a.state is not State.NORMAL and a.storm is None]
        if not first:
            return
        vi, en = _storm_words(len(first), rule if verdict.key != EVERYTHING else None)
        worst = max(alarm.priority for _, alarm in first)
        entry = Alarm(
            id=id, kind="storm", rule=verdict.key, state=State.UNACKNOWLEDGED, priority=worst, level=int(worst),
            peak=int(worst), active=True, since=min(a.since for _, a in first),
            changed=max(a.changed for _, a in first), raised=self._now, alerted=self._now, vi=vi, en=en,
            members=len(first),
        )  # fmt: skip
        self._changes.append(
            lifecycle.raised(entry, self._now, rule.escalation if verdict.key != EVERYTHING else ())
        )  # fmt: skip
        for point, alarm in first:
            # The entry escalates for all of them.
            change = lifecycle.grouped(replace(alarm, escalate_at=None), self._now, storm=id)
            self._changes.append(change)
            if point in self._opened:
                self._opened[point] = change.alarm
        flood.began(verdict.key, id, self._now)


def _storm_words(size: int, rule: Rule | None) -> tuple[str, str]:
    if rule is None:
        return f"Nhiều cảnh báo cùng lúc: {size}", f"Many alarms at once: {size}"
    return f"{rule.vi}: {size} cảnh báo cùng lúc", f"{rule.en}: {size} alarms at once"
