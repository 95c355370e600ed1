"""A rule tried on history before it is switched on: when and where it would have fired."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tram.alarms.engine import Engine, Readings
from tram.alarms.plan import Fault, Plan, plan
from tram.alarms.rules import POINTS, Compare, Rate, Rule, Threshold, leaves
from tram.alarms.unit import Transition
from tram.clock import DAY, SECOND, from_micros, to_micros
from tram.errors import PayloadError
from tram.sensing import Micros
from tram.store import alarm_rules, sqlfile
from tram.store.columns import Layout
from tram.store.database import Connection, available

MOST_RAW = 300_000
MOST_MINUTES = 600_000
MOST_DAYS = 92
SHOWN = 1_000
"""Most intervals of one answer."""
_RAW = Layout(stream="int4", time="time", quality="int2", value="float8")
_MINUTE = Layout(stream="int4", time="time", min="float8", max="float8", last="float8")
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing: from, to (None: still at the end), the highest level, what decided it. Microseconds."""

    thing: str
    label: str
    start: Micros
    end: Micros | None
    level: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have done.

    Attributes:
        times: how often it would have fired. things: at how many Things; looked_at: of how many.
        fired: the first SHOWN of them, by their beginning.
        used: "raw", or "1m": of each minute the value that is the furthest on the rule's side.
        readings: how many it was tried on. faults: what is missing.
    """

    times: int
    things: int
    looked_at: int
    fired: list[Fired]
    used: str
    readings: int
    faults: list[Fault]


def trial(conn: Connection, rule: Rule, start: Micros, end: Micros, *, utc_offset: int = 7) -> Trial:
    """Runs the rule over [start, end) as the engine would have: from raw while that is few enough, else from minutes.

    Raises:
        PayloadError: the span is empty or longer than MOST_DAYS, or holds more than MOST_MINUTES readings.
    """
    if not 0 < end - start <= MOST_DAYS * DAY:
        raise PayloadError(f"a trial takes a span of at most {MOST_DAYS} days that ends after it begins", code="query")
    catalogue = alarm_rules.catalogue(conn, [rule])
    made = plan(rule, 1, catalogue)
    readings, used = _readings(conn, made, catalogue.streams, start, end)
    engine = Engine([made], utc_offset * 3600 * SECOND, start)
    told: list[Transition] = []
    for first in range(0, len(readings.stream), _CHUNK):
        told += engine.apply(_part(readings, first))
    told += engine.tick(end)
    fired: list[Fired] = []
    open_: dict[int, Transition] = {}
    peak: dict[int, int] = {}

    def close(one: Transition, until: Micros | None) -> None:
        place = catalogue.places[one.thing_id]
        fired.append(Fired(place.name, place.label, one.at, until, peak[one.thing_id], one.value))

    for one in told:
        if one.before == 0:
            open_[one.thing_id] = one
        peak[one.thing_id] = max(one.level, peak.get(one.thing_id, 0)) if one.before else one.level
        if one.level == 0:
            close(open_.pop(one.thing_id), one.at)
    for one in open_.values():
        close(one, None)
    fired.sort(key=lambda f: (f.start, f.thing))
    things = len({f.thing for f in fired})
    faults = engine.faults()[rule.id]
    return Trial(len(fired), things, len(made.things), fired[:SHOWN], used, len(readings.stream), faults)


def _readings(
    conn: Connection, made: Plan, streams: Any, start: Micros, end: Micros
) -> tuple[Readings, str]:  # fmt: skip
    ids = np.unique(made.streams).tolist()
    points = [id for id, _, name in streams if name in POINTS and id in set(ids)]
    queries = sqlfile.load("alarm_history")
    span: dict[str, Any] = {"ids": ids, "start": from_micros(start), "end": from_micros(end), "limit": MOST_RAW + 1}
    with available(), conn.cursor(binary=True) as cursor:
        cursor.execute(queries["trial_count"], span)
        row = cursor.fetchone()
        rows = None
        if row is not None and row[0] <= MOST_RAW:
            rows = _RAW.copy_out(cursor, queries["trial_raw"], span)
        used = "raw"
        if rows is None or len(rows) > MOST_RAW:
            used = "1m"
            found = _MINUTE.copy_out(cursor, queries["trial_minutes"], span | {"limit": MOST_MINUTES + 1})
            if len(found) > MOST_MINUTES:
                raise PayloadError("too much to try it on: take fewer Things or less time", code="query")
            rows = _RAW.empty(len(found))
            rows["stream"], rows["time"], rows["value"] = found["stream"], found["time"], found[_side(made.rule)]
        places: list[Any] = []
        if points:
            places = cursor.execute(queries["trial_points"], span | {"ids": points}).fetchall()
            if len(places) > MOST_RAW:
                raise PayloadError("too much to try it on: take fewer Things or less time", code="query")
    where = _places(places)
    n = len(rows) + len(where)
    stream, time = np.zeros(n, np.int32), np.zeros(n, np.int64)
    value, quality = np.full(n, np.nan), np.zeros(n, np.int16)
    stream[: len(rows)], time[: len(rows)], value[: len(rows)] = rows["stream"], rows["time"], rows["value"]
    quality[: len(rows)] = rows["quality"]
    for k, (id, moment, _) in enumerate(where, len(rows)):
        stream[k], time[k] = id, moment
    order = np.argsort(time, kind="stable")
    position = {int(old): new for new, old in enumerate(order.tolist()) if old >= len(rows)} if where else {}
    coordinates = {position[k]: place for k, (_, _, place) in enumerate(where, len(rows))}
    # Tried as if every reading had come at once: that is what a rule is made for.
    return Readings(stream[order], time[order], value[order], quality[order], time[order], coordinates), used


def _places(rows: list[Any]) -> list[tuple[int, Micros, tuple[float, float]]]:
    found = []
    for id, moment, given in rows:
        place = given.get("coordinates") if isinstance(given, dict) and given.get("type") == "Point" else None
        if isinstance(place, list) and len(place) >= 2 and all(isinstance(x, int | float) for x in place[:2]):
            found.append((int(id), to_micros(moment), (float(place[0]), float(place[1]))))
    return found


def _part(readings: Readings, first: int) -> Readings:
    part = slice(first, first + _CHUNK)
    points = {row - first: p for row, p in readings.points.items() if first <= row < first + _CHUNK}
    return Readings(
        readings.stream[part], readings.time[part], readings.value[part], readings.quality[part], readings.stored[part],
        points,
    )  # fmt: skip


def _side(rule: Rule) -> str:
    """Of a minute, the value that is the furthest on the rule's side; its last where conditions look both ways."""
    found = [leaf for level in rule.levels for _, leaf in leaves(level.when)]
    if any(isinstance(leaf, Compare | Rate) for leaf in found):
        return "last"
    ops = {leaf.op[0] for leaf in found if isinstance(leaf, Threshold)}
    return {frozenset(">"): "max", frozenset("<"): "min"}.get(frozenset(ops), "last")
