"""Corridors and junctions: what is configured of the road network, in the service's own tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.jobs import Outcome
from tram.errors import NotFoundError
from tram.sensing import Location, Thing
from tram.settings import Settings
from tram.store import registry
from tram.store.database import Connection, available
from tram.store.sqlfile import load_path

FOLDER = Path(__file__).parent
QUERIES = load_path(FOLDER / "queries.sql")
CHANNEL = "traffic"


@dataclass(frozen=True, slots=True)
class Corridor:
    """A corridor in its direction of travel. `detectors`: names and kilometres; `thing` stands for it."""

    id: str
    vi: str
    en: str
    thing: int
    name: str
    area: str | None
    detectors: tuple[tuple[str, float], ...]
    km: float
    lanes: int
    capacity: float
    free: float | None
    source: str

    @property
    def at(self) -> NDArray[np.float64]:
        """Kilometres of the detectors, shape (d,)."""
        return np.array([km for _, km in self.detectors])


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a junction's signal; its flow is the largest of its detectors'. `saturation` in vehicles an hour."""

    vi: str
    en: str
    detectors: tuple[str, ...]
    saturation: float


@dataclass(frozen=True, slots=True)
class Junction:
    """A junction with a signal; `lost` seconds a cycle."""

    id: str
    vi: str
    en: str
    area: str | None
    phases: tuple[Phase, ...]
    lost: float
    source: str


def corridors(conn: Connection) -> list[Corridor]:
    """All, by id."""
    with available():
        rows = conn.execute(QUERIES["corridors"]).fetchall()
    return [
        Corridor(id, vi, en, thing, name, area, tuple((d["thing"], float(d["km"])) for d in detectors), *rest)
        for id, vi, en, thing, name, area, detectors, *rest in rows
    ]


def junctions(conn: Connection) -> list[Junction]:
    """All, by id."""
    with available():
        rows = conn.execute(QUERIES["junctions"]).fetchall()
    return [
        Junction(id, vi, en, area, tuple(_phase(one) for one in phases), lost, source)
        for id, vi, en, area, phases, lost, source in rows
    ]


def _phase(given: Mapping[str, Any]) -> Phase:
    return Phase(given["vi"], given["en"], tuple(given["detectors"]), float(given["saturation"]))


def ids(conn: Connection, names: Sequence[str]) -> dict[str, int]:
    """Ids of active Things by name. Raises NotFoundError for the first that is none."""
    with available():
        found = {row[0]: row[1] for row in conn.execute(QUERIES["things_named"], (list(names),)).fetchall()}
    for name in names:
        if name not in found:
            raise NotFoundError(f"there is no active Thing {name!r}")
    return found


def put_corridor(conn: Connection, id: str, source: str, given: Mapping[str, Any], area: str | None) -> Corridor:
    """Adds or changes a corridor, with the Thing that stands for it. Never commits. Raises NotFoundError."""
    names = [one["thing"] for one in given["detectors"]]
    ids(conn, names)
    with available():
        places = {row[0]: row[2:] for row in conn.execute(QUERIES["things_named"], (names,)).fetchall()}
    longitude, latitude = places[names[len(names) // 2]]
    place = None if longitude is None else Location(longitude, latitude)
    thing = registry.put(conn, Thing(f"corridor-{id}", given["vi"], "corridor", area, place))
    row = {key: given.get(key) for key in ("vi", "en", "km", "lanes", "capacity", "free")}
    detectors = msgspec.json.encode(list(given["detectors"])).decode()
    with available():
        conn.execute(
            QUERIES["put_corridor"], {**row, "id": id, "thing": thing.id, "detectors": detectors, "source": source}
        )
    return next(one for one in corridors(conn) if one.id == id)


def put_junction(conn: Connection, id: str, source: str, given: Mapping[str, Any], area: str | None) -> Junction:
    """Adds or changes a junction. Never commits. Raises NotFoundError."""
    for phase in given["phases"]:
        ids(conn, phase["detectors"])
    phases = msgspec.json.encode(list(given["phases"])).decode()
    with available():
        conn.execute(
            QUERIES["put_junction"],
            {"id": id, "vi": given["vi"], "en": given["en"], "area": area, "phases": phases, "lost": given["lost"],
             "source": source},
        )  # fmt: skip
    return next(one for one in junctions(conn) if one.id == id)


def demonstrate(conn: Connection, settings: Settings) -> Outcome:
    """The worker's job: where simulated loops stand and no corridor is configured, corridors and a junction of them."""
    with available():
        rows = conn.execute(QUERIES["simulated_loops"]).fetchall()
    for number, (area, names, longitudes, latitudes) in enumerate(rows, 1):
        steps = np.hypot(np.diff(longitudes) * 103.5, np.diff(latitudes) * 110.8)
        at = np.concatenate([[0.0], np.cumsum(steps)]) + 0.2
        given = {
            "vi": f"Tuyến trình diễn {number}", "en": f"Demo corridor {number}", "km": round(float(at[-1]) + 0.2, 3),
            "lanes": 2, "capacity": 3600.0,
            "detectors": [{"thing": name, "km": round(float(km), 3)} for name, km in zip(names, at, strict=True)],
        }  # fmt: skip
        put_corridor(conn, f"demo-{number}", "demo", given, area)
        phases = [
            {"vi": "Hướng Đông - Tây", "en": "East - west", "detectors": names[:2], "saturation": 3600.0},
            {"vi": "Hướng Bắc - Nam", "en": "North - south", "detectors": names[2:4], "saturation": 3600.0},
        ]
        told = {"vi": f"Nút trình diễn {number}", "en": f"Demo junction {number}", "phases": phases, "lost": 10.0}
        put_junction(conn, f"demo-{number}", "demo", told, area)
    return Outcome(0)
