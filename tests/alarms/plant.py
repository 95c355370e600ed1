"""A small plant on a real database: Things, their values, rules, and the alarm process a step at a time."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from services.alarms.process import Alarms
from tests.databases import Database
from tram.alarms.model import Alarm, AlarmChange
from tram.alarms.rules import read
from tram.runtime.readiness import Readiness
from tram.sensing import Location, Thing
from tram.store import alarm_rules, alarms, observations, registry
from tram.store.batch import Batch, encode_json
from tram.store.database import Connection

SECOND = 1_000_000
UNITS = {"water_level": "m", "pm2_5": "ug/m3", "longitude": "deg", "latitude": "deg"}


def threshold(id: str, *values: float, scope: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A rule of water levels; its first level is low, the next medium, …"""
    ranks = ("low", "medium", "high", "critical")
    levels = [
        {"priority": rank, "vi": f"Mức {n}", "en": f"Level {n}",
         "when": {"type": "threshold", "property": "water_level", "op": ">=", "value": value, "deadband": 0.5}}
        for n, (rank, value) in enumerate(zip(ranks, values, strict=False), 1)
    ]  # fmt: skip
    return {"id": id, "vi": "Nước", "en": "Water", "scope": scope or {"kind": "river"}, "levels": levels, **more}


@dataclass
class Plant:
    """What a test does to it, and what came of it."""

    database: Database
    conn: Connection = field(init=False)
    work: Connection = field(init=False)
    process: Alarms = field(init=False)
    now: datetime | None = None
    ids: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.conn = self.database.connect()
        self.work = self.database.connect(autocommit=True)
        self.restart()

    def restart(self) -> None:
        """Another process, which remembers nothing."""
        clock = (lambda: self.now) if self.now is not None else None
        self.process = Alarms(self.database.settings, threading.Event(), Readiness("database"), clock)  # type: ignore[arg-type]

    def thing(self, name: str, *properties: str, kind: str = "river", area: str | None = None) -> None:
        registry.put(self.conn, Thing(name, f"Trạm {name}", kind, area=area, location=Location(105.8, 21.6)))
        keys = [registry.Key(name, p, UNITS.get(p, "1")) for p in properties]
        for key, found in registry.resolve(self.conn, keys, "open").items():
            assert isinstance(found, registry.Resolved), found
            self.ids[name, key.property] = found.datastream_id
        self.conn.commit()

    def rule(self, document: dict[str, Any]) -> None:
        alarm_rules.put(self.conn, read(document), "p:1")
        self.conn.commit()
        self.process.notified(alarm_rules.CHANNEL)

    def write(self, *rows: tuple[str, str, float], at: datetime | None = None, ago: float = 0) -> None:
        """(Thing, property, value), all of one time: now, or so many seconds ago."""
        moment = at or self.clock()
        t = round(moment.timestamp() * SECOND) - round(ago * SECOND)
        n = len(rows)
        batch = Batch(
            np.array([self.ids[thing, name] for thing, name, _ in rows], np.int32), np.full(n, t, np.int64),
            np.array([value for *_, value in rows], np.float64), np.zeros(n, np.int16),
        )  # fmt: skip
        observations.write(self.conn, batch)
        self.conn.commit()

    def point(self, thing: str, lon: float, lat: float) -> None:
        """A position as one GeoJSON Point."""
        t = np.array([round(self.clock().timestamp() * SECOND)], np.int64)
        json = {0: encode_json({"type": "Point", "coordinates": [lon, lat]})}
        id = np.array([self.ids[thing, "location"]], np.int32)
        observations.write(self.conn, Batch(id, t, np.array([np.nan]), np.zeros(1, np.int16), json))
        self.conn.commit()

    def clock(self) -> datetime:
        row = self.conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        found: datetime = row[0]
        return found

    def step(self) -> None:
        """Until nothing is left to take."""
        while self.process.step(self.work):
            pass

    def current(self) -> list[Alarm]:
        self.conn.commit()
        return alarms.current(self.conn)

    def changes(self) -> list[AlarmChange]:
        self.conn.commit()
        return alarms.changes(self.conn, 0, 100_000)

    def told(self) -> list[tuple[str, str, int, str]]:
        """(Thing, what happened, level, state) of all changes."""
        return [(c.alarm.thing, c.kind.value, c.alarm.level, c.alarm.state.value) for c in self.changes()]
