"""The province as a pure model: seed and time in, messages out. The same seed and time give the same bytes, always."""

import json
import re
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.simulators.catalogue import GAUGES, KINDS, RIVER
from devices.simulators.faults import LATE, Fault, drift, faults_of
from devices.simulators.kinds import Group, Kind
from devices.simulators.noise import Ints, uniform
from devices.simulators.scenarios import near_city
from devices.simulators.world import World

FIRST_ROUND = 10_000
"""Milliseconds within which every Thing has spoken once."""


class Commune(NamedTuple):
    """A commune (xã) or ward (phường)."""

    code: str
    kind: str
    name: str
    lon: float
    lat: float


def communes() -> list[Commune]:
    """The 92 of Thái Nguyên, from communes.csv (source and licence there)."""
    text = files("tram").joinpath("communes.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")][1:]
    return [Commune(code, kind, name, float(lon), float(lat)) for code, kind, name, lon, lat in rows]


def nearest(places: list[Commune], lon: float, lat: float) -> Commune:
    """The commune whose centre is closest."""
    return min(places, key=lambda c: (c.lon - lon) ** 2 + (c.lat - lat) ** 2)


def slug(text: str) -> str:
    """Vietnamese text as letters, digits and dashes: Gia Bảy is gia-bay."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


class Province:
    """Everything that stands in the province, and what it says at a time."""

    def __init__(self, seed: int = 1) -> None:
        self.world = World(seed)
        self.groups = list(_groups(seed))
        for group in self.groups:
            # Each Thing speaks at its own moment of its period, so that messages are spread evenly.
            group.phase = (uniform(seed + 51, group.number) * group.period).astype(np.int64) // 10 * 10

    @property
    def things(self) -> int:
        """How many Things there are."""
        return sum(len(group.names) for group in self.groups)

    @property
    def datastreams(self) -> int:
        """How many Datastreams they have."""
        return sum(len(group.names) * len(group.kind.properties) for group in self.groups)

    def states(self) -> Iterator[tuple[str, bytes]]:
        """(topic, payload) of what each Thing says of itself; to be published retained."""
        for group in self.groups:
            for name, state in zip(group.names, group.states, strict=True):
                yield f"tram/v1/{name}/state", json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()

    def tick(self, start: int, end: int, first: int | None = None) -> list[tuple[str, bytes]]:
        """What is said from `start` until before `end` (ms), in order of time.

        Args:
            first: when the province began to speak; in the first round every Thing speaks once besides.
        """
        said: list[tuple[int, int, str, bytes]] = []
        for group in self.groups:
            phase = group.phase
            rounds = [(group.period, phase)]
            if first is not None and start < first + FIRST_ROUND:
                rounds.append((1 << 60, first + phase * FIRST_ROUND // group.period))
            for period, at in rounds:
                due = at + -((at - start) // period) * period  # the first moment of each at or after `start`
                while (now := due < end).any():
                    who = np.flatnonzero(now)
                    said += self._say(group, who, due[who])
                    due = due + period
        said.sort(key=lambda entry: entry[:2])
        return [(topic, payload) for _, _, topic, payload in said]

    def burst(self, order: NDArray[np.int64], time: Ints) -> list[tuple[str, bytes]]:
        """One message of each numbered Thing at its time, with no faults: a load generator's batch."""
        told: list[tuple[str, bytes]] = []
        for group in self.groups:
            mine = np.flatnonzero((order >= group.first) & (order < group.first + len(group.names)))
            if len(mine):
                who = order[mine] - group.first
                told += [(topic, payload) for _, _, topic, payload in self._write(group, who, time[mine], time[mine])]
        return told

    def past(self, start: int, end: int, step: int) -> Iterator[tuple[str, str, int, float]]:
        """(Thing, property, time in ms, value) of what would have been measured, thinned out: a value each `step` ms
        from `start` until before `end` of each Datastream, or as seldom as it speaks by itself; no faults.

        Raises:
            ValueError: `step` is not at least a second.
        """
        if step < 1000:
            raise ValueError("a step is at least 1000 ms")
        for group in self.groups:
            times = np.arange(-(-start // step) * step, end, max(step, group.period), dtype=np.int64)
            for index, name in enumerate(group.names):
                at = times + int(group.phase[index])
                at = at[at < end]
                columns = group.kind.evaluate(self.world, group, np.full(len(at), index), at)
                for (name_of, decimals), column in zip(group.kind.properties, columns, strict=True):
                    rounded = np.round(column, decimals).tolist()
                    yield from zip(repeat(name), repeat(name_of), at.tolist(), rounded, strict=False)

    def _say(self, group: Group, who: Ints, time: Ints) -> list[tuple[int, int, str, bytes]]:
        fault, since = faults_of(self.world.seed, group.number[who], time)
        speaks = fault != Fault.SILENT
        who, time, fault, since = who[speaks], time[speaks], fault[speaks], since[speaks]
        stamp = np.where(fault == Fault.LATE, time - LATE, time)
        measured = np.where(fault == Fault.STUCK, since, stamp)
        written = self._write(group, who, measured, stamp, fault, since)
        said = [(int(t), n, topic, payload) for t, (_, n, topic, payload) in zip(time, written, strict=True)]
        return said + [entry for entry, f in zip(said, fault, strict=True) if f == Fault.DUPLICATE]

    def _write(
        self, group: Group, who: Ints, measured: Ints, stamp: Ints,
        fault: NDArray[np.int64] | None = None, since: Ints | None = None,
    ) -> list[tuple[int, int, str, bytes]]:  # fmt: skip
        if not len(who):
            return []
        columns = group.kind.evaluate(self.world, group, who, measured)
        if fault is not None and since is not None:
            columns[0] = drift(columns[0], fault, since, stamp)
        rows = zip(stamp.tolist(), *(column.tolist() for column in columns), strict=True)
        template, topics, first = group.template, group.topics, group.first
        return [
            (row[0], first + i, topics[i], (template % row).encode()) for i, row in zip(who.tolist(), rows, strict=True)
        ]


def _groups(seed: int) -> Iterator[Group]:
    first = 0
    places = communes()
    for kind in KINDS:
        rows = [
            (commune, k + 1, count)
            for index, commune in enumerate(places)
            if index % kind.every == 0
            for count in [kind.in_wards if commune.kind == "Phường" else kind.in_communes]
            for k in range(count)
        ]
        yield _group(kind, first, rows, seed)
        first += len(rows)
    at = [nearest(places, gauge.lon, gauge.lat) for gauge in GAUGES]
    names = [f"river-{slug(gauge.name)}" for gauge in GAUGES]
    states = [
        {
            "label": f"{RIVER.label} {gauge.name}",
            "kind": RIVER.name,
            "area": commune.code,
            "location": {"lon": gauge.lon, "lat": gauge.lat},
            "properties": {"commune": commune.name,
                "river": gauge.river, "alarm_levels": gauge.alarms, "alarm_levels_verified": gauge.verified,
                           "record_level": gauge.record, "simulated": True},
        }
        for gauge, commune in zip(GAUGES, at, strict=True)
    ]  # fmt: skip
    site = {key: np.array([getattr(gauge, key) for gauge in GAUGES]) for key in ("dry", "record", "lag")}
    lon, lat = np.array([g.lon for g in GAUGES]), np.array([g.lat for g in GAUGES])
    yield Group(RIVER, first, names, states, lon, lat, np.zeros(len(GAUGES)), site)


def _group(kind: Kind, first: int, rows: list[tuple[Commune, int, int]], seed: int) -> Group:
    number = np.arange(first, first + len(rows))
    spread = 0.012
    lon = np.array([c.lon for c, _, _ in rows]) + spread * (2 * uniform(seed + 52, number) - 1)
    lat = np.array([c.lat for c, _, _ in rows]) + spread * (2 * uniform(seed + 53, number) - 1)
    names, states = [], []
    for index, (commune, k, count) in enumerate(rows):
        names.append(f"{kind.name}-{commune.code}" + (f"-{k}" if count > 1 else ""))
        states.append({
            "label": f"{kind.label} {commune.name}" + (f" số {k}" if count > 1 else ""),
            "kind": kind.name,
            "area": commune.code,
            "location": {"lon": round(float(lon[index]), 5), "lat": round(float(lat[index]), 5)},
            "properties": {"commune": commune.name, "simulated": True, **kind.extra},
        })  # fmt: skip
    urban = np.array([1.0 if c.kind == "Phường" else 0.25 for c, _, _ in rows])
    urban = np.clip(urban * (0.55 + 0.6 * near_city(lon, lat, 0.15)), 0.1, 1.0)
    return Group(kind, first, names, states, lon, lat, urban, {})
