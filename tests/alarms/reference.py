"""The meaning of rules told once more, as plainly as can be: one Thing, one reading after the other, no arrays.

The engine must say exactly what this says (test_engine.py). It shares the reading of rules with it and nothing else.
"""

import math
from datetime import UTC, datetime, timedelta

from tram.alarms.rules import (
    ANY,
    DAYS,
    All,
    AnyOf,
    Compare,
    Condition,
    Geofence,
    Leaf,
    NoData,
    Rate,
    Rule,
    Schedule,
    Threshold,
    leaves,
)

Told = tuple[int, int, int, int, float | None]
"""since, at, before, level, value."""
SECOND = 1_000_000
STEPS = 64


def beyond(op: str, x: float, limit: float) -> bool:
    return {">": x > limit, ">=": x >= limit, "<": x < limit, "<=": x <= limit}[op]


def in_box(geometry: dict[str, object], lon: float, lat: float) -> bool:
    """The tests' fences are boxes, and their points are never on an edge."""
    ring = geometry["coordinates"][0]  # type: ignore[index]
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    return bool(min(xs) < lon < max(xs) and min(ys) < lat < max(ys))


class One:
    """One rule at one Thing."""

    def __init__(self, rule: Rule, born: int, offset_hours: int = 7) -> None:
        self.rule, self.born, self.offset = rule, born, timedelta(hours=offset_hours)
        self.time: dict[str, int] = {}
        self.value: dict[str, float] = {}
        self.leaves = [leaf for level in rule.levels for _, leaf in leaves(level.when)]
        self.holds = {id(leaf): False for leaf in self.leaves}
        self.rings: dict[int, list[tuple[int, float]]] = {id(leaf): [] for leaf in self.leaves}
        self.rate: dict[int, float] = {}
        self.side: dict[int, bool] = {}
        self.crossed: dict[int, bool] = {}
        self.since: list[int | None] = [None] * len(rule.levels)
        self.counted: list[list[int]] = [[] for _ in rule.levels]
        self.clock: int | None = None
        self.level = self.told_level = 0
        self.late = False
        self.told: list[Told] = []

    # Time

    def batch(self, rows: list[tuple[str, int, float]], stored: int) -> None:
        """(property, time, value) in order of arrival."""
        for moment in sorted({t for _, t, _ in rows}):
            self.step([(p, v) for p, t, v in rows if t == moment], moment, stored)

    def step(self, rows: list[tuple[str, float]], t: int, stored: int) -> None:
        own = {p for leaf in self.leaves for p in inputs(leaf)}
        targets = [(name, v) for p, v in rows for name in ([p] if p in own else []) + ([ANY] if ANY in own else [])]
        before = dict(self.time)
        usable = [(name, v) for name, v in targets if t >= before.get(name, -math.inf)
                  and not (math.isnan(v) and t == before.get(name))]  # fmt: skip
        if not usable:
            return
        at = t if self.clock is None else max(self.clock, t)
        self.wake(at - 1, stored)
        newer = set()
        for name, v in usable:
            self.time[name] = t
            if not math.isnan(v):
                self.value[name] = v
                if t > before.get(name, -math.inf):
                    newer.add(name)
        for leaf in self.leaves:
            self.sample(leaf, newer)
        self.late = stored - t > self.rule.late.micros
        self.look(at, stored, bool(newer))

    def tick(self, now: int) -> None:
        self.wake(now, now)

    def wake(self, until: int, now: int) -> None:
        for _ in range(STEPS):
            due = self.due()
            if due is None or due > until:
                return
            self.look(due, now, None)

    def due(self) -> int | None:
        found = []
        for index, level in enumerate(self.rule.levels):
            begun = self.since[index]
            if begun is not None and not self.full(index, self.clock or begun):
                found.append(begun + level.for_.micros)
        clock = max(self.born, self.born if self.clock is None else self.clock)
        for leaf in self.leaves:
            if isinstance(leaf, NoData) and not self.holds[id(leaf)]:
                found.append(self.newest(leaf) + leaf.after.micros)
            if isinstance(leaf, Schedule):
                found.append(self.boundary(leaf, clock))
        return min(found, default=None)

    # Conditions

    def sample(self, leaf: Leaf, newer: set[str]) -> None:
        key = id(leaf)
        if isinstance(leaf, Rate) and leaf.property in newer:
            t, v = self.time[leaf.property], self.value[leaf.property]
            ring = self.rings[key]
            inside = [(a, b) for a, b in ring if a >= t - leaf.window.micros]
            if inside and t - inside[0][0] >= max(1, leaf.window.micros // 2):
                self.rate[key] = (v - inside[0][1]) * leaf.per.micros / (t - inside[0][0])
            else:
                self.rate[key] = math.nan
            slot = max(1, leaf.window.micros // 8)
            if not ring or ring[-1][0] // slot != t // slot:
                ring.append((t, v))
                del ring[:-9]
        if isinstance(leaf, Geofence) and newer & {"longitude", "latitude"}:
            if self.time.get("longitude") != self.time.get("latitude"):
                return
            if "longitude" not in self.value or "latitude" not in self.value:
                return
            now = in_box(leaf.polygon or {}, self.value["longitude"], self.value["latitude"])
            before = self.side.get(key)
            if before is not now:
                self.crossed[key] = before is not None
            self.side[key] = now

    def number(self, leaf: Leaf) -> float:
        if isinstance(leaf, Threshold):
            return self.value.get(leaf.property, math.nan)
        if isinstance(leaf, Rate):
            return self.rate.get(id(leaf), math.nan)
        assert isinstance(leaf, Compare)
        left, right = (self.value.get(side.property, math.nan) for side in (leaf.left, leaf.right))
        if leaf.by == "difference":
            return left - right
        return math.nan if right == 0 else left / right

    def holds_now(self, leaf: Leaf, at: int, now: int) -> bool:
        held = self.holds[id(leaf)]
        if isinstance(leaf, Threshold | Rate | Compare):
            x = self.number(leaf)
            if math.isnan(x):
                return held
            back = leaf.value - leaf.deadband if leaf.op[0] == ">" else leaf.value + leaf.deadband
            return beyond(leaf.op, x, leaf.value) or (held and beyond(leaf.op, x, back))
        if isinstance(leaf, NoData):
            return max(at, now) - self.newest(leaf) >= leaf.after.micros
        if isinstance(leaf, Geofence):
            side = self.side.get(id(leaf))
            if side is None or side is not (leaf.on in ("enter", "inside", "stay")):
                return False
            return leaf.on not in ("enter", "leave") or self.crossed.get(id(leaf), False)
        return self.scheduled(leaf, at)

    def newest(self, leaf: NoData) -> int:
        return max(self.time.get(leaf.property, self.born), self.born)

    def local(self, at: int) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at) + self.offset

    def scheduled(self, leaf: Schedule, at: int) -> bool:
        local = self.local(at)
        today, yesterday = DAYS[local.weekday()] in leaf.days, DAYS[(local.weekday() - 1) % 7] in leaf.days
        clock = f"{local:%H:%M}"
        if leaf.start < leaf.end:
            return today and leaf.start <= clock < leaf.end
        return (today and clock >= leaf.start) or (yesterday and clock < leaf.end)

    def boundary(self, leaf: Schedule, at: int) -> int:
        local = self.local(at)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        moments = []
        for clock in (leaf.start, leaf.end):
            hours, minutes = map(int, clock.split(":"))
            moment = midnight + timedelta(hours=hours, minutes=minutes)
            moments.append(moment if moment > local else moment + timedelta(days=1))
        return at + (min(moments) - local) // timedelta(microseconds=1)

    def joined(self, condition: Condition) -> bool:
        if isinstance(condition, All):
            return all(self.joined(c) for c in condition.of)
        if isinstance(condition, AnyOf):
            return any(self.joined(c) for c in condition.of)
        return self.holds[id(condition)]

    # Levels

    def full(self, index: int, at: int) -> bool:
        begun = self.since[index]
        return begun is not None and at - begun >= self.rule.levels[index].for_.micros

    def look(self, at: int, now: int, newer: bool | None) -> None:
        self.clock = at
        for leaf in self.leaves:
            self.holds[id(leaf)] = self.holds_now(leaf, at, now)
        self.level = 0
        for index, level in enumerate(self.rule.levels):
            raw = self.joined(level.when)
            if level.repeat:
                if raw and newer:
                    self.counted[index].append(at)
                enough = self.counted[index][-level.repeat.times :]
                full = len(enough) == level.repeat.times and enough[0] >= at - level.repeat.within.micros
                raw = raw and (full or self.since[index] is not None)
            if not raw:
                self.since[index] = None
            elif self.since[index] is None:
                self.since[index] = at
            if self.full(index, at):
                self.level = index + 1
        self.tell(at)

    def tell(self, at: int) -> None:
        if self.level == self.told_level:
            return
        silence = self.level and any(isinstance(c, NoData) for _, c in leaves(self.rule.levels[self.level - 1].when))
        if self.level > self.told_level and self.late and not silence:
            return
        begun = self.since[self.level - 1] if self.level else at
        assert begun is not None
        up = self.level > self.told_level
        reached = begun + self.rule.levels[self.level - 1].for_.micros if up else at
        value = None
        for _, leaf in leaves(self.rule.levels[(self.level or self.told_level) - 1].when):
            if isinstance(leaf, Threshold | Rate):
                value = self.value.get(leaf.property)
                break
        self.told.append((begun, reached, self.told_level, self.level, value))
        self.told_level = self.level


def inputs(leaf: Leaf) -> list[str]:
    """The columns of a condition."""
    if isinstance(leaf, Compare):
        return [leaf.left.property, leaf.right.property]
    if isinstance(leaf, Geofence):
        return ["longitude", "latitude"]
    return [] if isinstance(leaf, Schedule) else [leaf.property]
