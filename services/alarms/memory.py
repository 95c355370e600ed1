"""The engine between its start and the next change of rules: made from the store, kept in the store.

Its memory is kept every KEEP seconds, with its place in the committed stream, in the transaction of that place. A start
takes the last one kept, hears again what came between it and the reader's position (what follows from that is stored
already, and thrown away), and then takes from the store what people were told last: nothing is said twice, nothing is
missed. docs/adr/0120.
"""

import logging
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from services.alarms.keeper import Keeper, Known
from tram.alarms.engine import Engine, Readings, unpack
from tram.alarms.plan import Fault, plan
from tram.alarms.rules import POINTS, Rule, RuleError
from tram.alarms.unit import Transition
from tram.clock import SECOND, to_micros
from tram.store import alarm_rules, sqlfile
from tram.store.alarm_rules import Stored
from tram.store.batch import Batch
from tram.store.committed import Committed, Op
from tram.store.database import Connection, available

log = logging.getLogger(__name__)


class Memory:
    """An engine, what it was made from, and the keeper of what it says."""

    def __init__(self, conn: Connection, offset: int, now: datetime) -> None:
        """From the rules and the registry as this transaction sees them; it remembers nothing yet. `offset`: hours."""
        self._offset, self._now = offset * 3600 * SECOND, to_micros(now)
        self.unreadable: dict[str, Fault] = {}
        stored = alarm_rules.list_rules(conn)
        self.rules = self._rules(stored)
        self.catalogue = alarm_rules.catalogue(conn, [rule for rule, _ in self.rules])
        plans = [plan(rule, version, self.catalogue) for rule, version in self.rules]
        self.engine = Engine(plans, self._offset, self._now)
        known = Known({p.rule.id: p for p in plans}, self.catalogue.places, alarm_rules.units(conn))
        self.keeper = Keeper(known)
        self.keeper.recall(conn, now)
        self._streams = np.zeros(max((id for id, _, _ in self.catalogue.streams), default=0) + 2, bool)
        self._streams[[id for id, _, _ in self.catalogue.streams]] = True
        self._points = {id for id, _, name in self.catalogue.streams if name in POINTS}
        self._told: dict[str, tuple[Fault, ...]] = {s.id: s.faults for s in stored}

    def holds(self, conn: Connection) -> bool:
        """Whether the rules and the registry are still what this was made from."""
        rules = self._rules(alarm_rules.list_rules(conn))
        return rules == self.rules and alarm_rules.catalogue(conn, [rule for rule, _ in rules]) == self.catalogue

    def _rules(self, stored: list[Stored]) -> list[tuple[Rule, int]]:
        found = []
        for one in stored:
            if one.enabled:
                try:
                    found.append((one.rule, one.version))
                except RuleError as error:
                    where, _, what = str(error).partition(": ")
                    self.unreadable[one.id] = Fault(where, what)
        return found

    def begin(self, conn: Connection, earlier: "Memory | bytes | None") -> None:
        """Takes over what an earlier engine, or a kept memory, knows. Things new to a rule begin with their latest."""
        kept: Any = {}
        if isinstance(earlier, Memory):
            kept = earlier.engine.memory()
        elif earlier is not None:
            try:
                kept = unpack(earlier)
            except ValueError as error:
                log.warning("the engine's memory cannot be read, it begins anew: %s", error)
        self._fresh = [(unit, ~known) for unit, known in self.engine.take_over(kept)]
        new: set[int] = set()
        for unit, fresh in self._fresh:
            if fresh.any():
                new.update(unit.plan.streams[fresh[unit.plan.subjects]].tolist())
        if new:
            self._latest(conn, new)
            self.engine.take_over(kept)  # the latest values were for the new ones alone

    def _latest(self, conn: Connection, streams: set[int]) -> None:
        """Hears the latest values of these Datastreams; whoever knew them already passes over them."""
        with available():
            rows = conn.execute(sqlfile.load("series")["latest_of"], (sorted(streams),)).fetchall()
        if not rows:
            return
        rows.sort(key=lambda row: row[1])
        batch = Batch(
            np.array([row[0] for row in rows], np.int32), np.array([to_micros(row[1]) for row in rows], np.int64),
            np.array([np.nan if row[2] is None else row[2] for row in rows], np.float64),
            np.array([row[4] for row in rows], np.int16),
            {k: msgspec.json.encode(row[3]) for k, row in enumerate(rows) if row[3] is not None},
        )  # fmt: skip
        self.engine.apply(self._readings(batch, self._now))

    def replay(self, conn: Connection, after: int, until: int) -> None:
        """Hears again what came behind `after` up to `until`."""
        while after < until:
            with available(), conn.cursor(binary=True) as cursor:
                rows = cursor.execute(
                    sqlfile.load("alarm_rules")["committed_between"], (after, until)
                ).fetchall()  # fmt: skip
            if not rows:
                return
            for seq, at, op, data in rows:
                self.hear(Committed(seq, at, Op(op), Batch.unpack(bytes(data))))
            after = rows[-1][0]

    def caught_up(self, conn: Connection, now: datetime) -> list[Transition]:
        """After `begin` and `replay`: takes what people were told last from the store; what differs now is said."""
        self.engine.tell(alarm_rules.standing(conn))
        return self.engine.settle(to_micros(now))

    def joined(self, conn: Connection, now: datetime) -> list[Transition]:
        """After `begin` from an engine at work: the same for the Things that are new to their rule, or its version."""
        standing = alarm_rules.standing(conn)
        for unit, fresh in self._fresh:
            id, told = unit.plan.rule.id, unit.memory.more["told"]
            for subject in np.flatnonzero(fresh).tolist():
                level = standing.get((id, int(unit.plan.things[subject])), 0)
                told[subject] = min(level, len(unit.plan.rule.levels))
        return self.engine.settle(to_micros(now))

    def hear(self, one: Committed) -> list[Transition]:
        """What follows from one batch of the stream. What is deleted changes nothing: it was there when heard."""
        at = to_micros(one.at)
        if one.op is Op.DELETE:
            return self.engine.tick(at)
        return self.engine.apply(self._readings(one.batch, at)) + self.engine.tick(at)

    def knows(self, batch: Batch) -> bool:
        """Whether all its Datastreams were there when this was made."""
        ids = batch.datastream_id
        return len(ids) == 0 or bool(ids.max() < len(self._streams) and self._streams[ids].all())

    def accept(self, batch: Batch) -> None:
        """Datastreams that the registry does not have (any more) are looked up no further."""
        ids = np.unique(batch.datastream_id)
        if len(ids) and ids[-1] >= len(self._streams):
            self._streams = np.concatenate([self._streams, np.zeros(int(ids[-1]) + 2 - len(self._streams), bool)])
        self._streams[ids] = True

    def _readings(self, batch: Batch, at: int) -> Readings:
        points = {}
        if batch.result_json and self._points:
            for row, data in batch.result_json.items():
                if int(batch.datastream_id[row]) in self._points:
                    place = _point(data)
                    if place is not None:
                        points[row] = place
        return Readings(
            batch.datastream_id, batch.phenomenon_time, np.where(np.isfinite(batch.result), batch.result, np.nan),
            batch.quality, np.full(len(batch), at, np.int64), points,
        )  # fmt: skip

    def write_faults(self, conn: Connection) -> None:
        """Shows each rule its faults, where they changed."""
        found = {id: tuple(faults) for id, faults in self.engine.faults().items()}
        found |= {id: (fault,) for id, fault in self.unreadable.items()}
        for id, faults in found.items():
            if self._told.get(id, ()) != faults:
                alarm_rules.set_faults(conn, id, faults)
                self._told[id] = faults
                if faults:
                    log.warning("alarm rule", extra={"rule": id, "faults": [f"{f.where}: {f.what}" for f in faults]})


def _point(data: bytes) -> tuple[float, float] | None:
    """Longitude and latitude of a GeoJSON Point."""
    try:
        given = msgspec.json.decode(data)
        kind, place = given["type"], given["coordinates"]
        longitude, latitude = float(place[0]), float(place[1])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, IndexError):
        return None
    return (longitude, latitude) if kind == "Point" and abs(longitude) <= 180 and abs(latitude) <= 90 else None
