"""Random histories of a world, and the plain model that they are judged by."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from services.live.catalogue import Entry, Selection
from services.live.messages import Events, Filter, Snapshot, Stream, Thing, decode_hub, encode
from services.live.mirror import Mirror
from services.live.position import Position
from services.live.view import View, World
from tram.alarms.model import Alarm, AlarmChange, Kind, Priority, State
from tram.identity import ANONYMOUS, AreaTree, Grant, Principal, Role, Scope, decide
from tram.identity import Kind as Sort
from tram.store.batch import Batch

AREAS = ("north", "south", "east")
KINDS = ("air", "river")
PROPERTIES = ("pm2_5", "water_level", "state")
TREE = AreaTree({"north": None, "south": None, "east": "north"})
WHEN = datetime(2026, 11, 22, tzinfo=UTC)
NOW = WHEN.timestamp()

OPERATOR = decide(Principal(Sort.PERSON, "p:1", "o", (Grant(Role.OPERATOR),)), "live.subscribe", now=NOW)
NORTHERN = decide(
    Principal(Sort.PERSON, "p:2", "n", (Grant(Role.OPERATOR, Scope(areas=frozenset({"north"}))),)),
    "live.subscribe", now=NOW,
)  # fmt: skip
PUBLIC = decide(ANONYMOUS, "live.subscribe", now=NOW)
DECISIONS = {"everything": OPERATOR, "north": NORTHERN, "public": PUBLIC}

things = st.integers(1, 5)
places = st.sampled_from((*AREAS, None))


@dataclass
class Town:
    """A world that is changed step by step, as a feed would, with a table of observations to read anew from."""

    world: World = field(default_factory=World)
    rows: dict[int, dict[int, tuple[Any, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.catalogue.tree = TREE

    def thing(self, id: int, area: str | None, kind: str, public: bool, streams: int) -> set[int]:
        """Puts a Thing with some Datastreams; `streams` 0: takes it away. Returns whose entries changed."""
        catalogue = self.world.catalogue
        before = catalogue.get(id)
        if streams == 0:
            catalogue.remove(id)
        else:
            made = [Stream(10 * id + n, PROPERTIES[n], "") for n in range(streams)]
            catalogue.put(Entry(Thing(id, f"t-{id}", "", kind, area, None, made), public))
        return {id} if before != catalogue.get(id) else set()

    def insert(self, rows: list[tuple[int, int, Any, int]]) -> None:
        """Observations (Datastream, time, value, quality) that are not there yet, in one batch."""
        fresh = []
        for stream, time, value, quality in rows:
            table = self.rows.setdefault(stream, {})
            if time not in table:
                table[time] = value, quality
                fresh.append((stream, time, value, quality))
        json = {n: msgspec.json.encode(row[2]) for n, row in enumerate(fresh) if not isinstance(row[2], float)}
        numbers = [row[2] if isinstance(row[2], float) else np.nan for row in fresh]
        batch = Batch(
            np.array([row[0] for row in fresh], np.int32), np.array([row[1] for row in fresh], np.int64),
            np.array(numbers, np.float64), np.array([row[3] for row in fresh], np.int16), json,
        )  # fmt: skip
        self.world.position += 1
        self.world.values.insert(self.world.position, batch)

    def delete(self, stream: int, time: int) -> None:
        """An observation is deleted, if it is there."""
        table = self.rows.get(stream, {})
        if table.pop(time, None) is not None:
            self.world.position += 1
            rows = []
            if table:
                last = max(table)
                value, quality = table[last]
                number = value if isinstance(value, float) else None
                rows = [(stream, last, number, None if number is not None else msgspec.json.encode(value), quality)]
            self.world.values.renew(self.world.position, [stream], rows)

    def alarm(self, id: int, state: State, priority: Priority) -> None:
        """An alarm on Thing `id` changes."""
        entry = self.world.catalogue.get(id)
        alarm = Alarm(
            id=id, rule="r", state=state, priority=priority, level=1, peak=1, active=True, thing=f"t-{id}",
            area=entry.thing.area if entry else None, datastreams=(10 * id,), since=WHEN, changed=WHEN, raised=WHEN,
            alerted=WHEN,
        )  # fmt: skip
        seq = self.world.alarms.position + 1
        change = AlarmChange(
            seq=seq, at=WHEN, time=WHEN, kind=Kind.RAISED, before=State.NORMAL, level_before=0, alarm=alarm
        )
        self.world.alarms.apply([change])


def view(world: World, filter: Filter, who: str, most: int = 1_000) -> View:
    """A view of somebody."""
    selection = Selection(filter, DECISIONS[who], world.catalogue)
    return View(world, selection, values=True, alarms=True, most=most)


def snapshot(of: View) -> Snapshot:
    """As a client gets it."""
    head = encode({"op": "snapshot", "id": "x", "reason": "subscribed"})[:-1]
    message = decode_hub(head + of.snapshot())
    assert isinstance(message, Snapshot)
    return message


@dataclass
class Follower:
    """A client of a view, told now and then."""

    view: View
    mirror: Mirror = field(default_factory=Mirror)
    at: Position | None = None
    snapshots: int = 0

    def tell(self, *, only_alarms: bool = False) -> None:
        """All that it lacks."""
        if self.at is not None:
            told = self.view.events(self.at, str(self.mirror.seq), only_alarms=only_alarms)
            if told.body is not None:
                self.at = told.to
                if told.body:
                    events = decode_hub(b'{"op":"events","id":"x"' + told.body)
                    assert isinstance(events, Events)
                    assert self.mirror.apply(events)
                return
        self.snapshots += 1
        assert self.mirror.apply(snapshot(self.view))
        self.at = self.view.position


def content(mirror: Mirror) -> Any:
    """What a mirror shows, whatever way it came."""
    streams = {stream.id for thing in mirror.things.values() for stream in thing.streams}
    assert set(mirror.values) <= streams
    return mirror.things, mirror.values, {id: replace(a) for id, a in mirror.alarms.items()}
