"""Stations' configuration: alarm levels and the rest, per station, in the service's own table."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.jobs import Outcome
from tram.errors import ConflictError
from tram.settings import Settings
from tram.store.database import Connection, available
from tram.store.sqlfile import load_path

FOLDER = Path(__file__).parent
QUERIES = load_path(FOLDER / "queries.sql")
CHANNEL = "rivers"
AHEAD = timedelta(minutes=5)
"""A device's clock may be ahead by so much (TRAM_CLOCK_FUTURE's default): what is later is not the present."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station as configured. `levels`: I, II, III in metres of the station's own datum; `verified` names those with a
    source; `datum`: the gauge's zero above the sea, metres; `lag`: hours from `upstream`, None: from history."""

    thing: int
    name: str
    label: str
    river: str
    levels: tuple[float, float, float]
    verified: tuple[str, ...]
    record: float | None
    datum: float | None
    upstream: str | None
    lag: float | None
    rain_km: float
    source: str
    longitude: float | None
    latitude: float | None

    @property
    def alarms(self) -> NDArray[np.float64]:
        """Shape (3,)."""
        return np.array(self.levels)


def stations(conn: Connection) -> list[Station]:
    """All that are configured, by name."""
    with available():
        rows = conn.execute(QUERIES["stations"]).fetchall()
    return [Station(r[0], r[1], r[2], r[3], (r[4], r[5], r[6]), tuple(r[7]), *r[8:]) for r in rows]


def newest(conn: Connection, things: Sequence[int], fresh: timedelta) -> dict[int, tuple[datetime, float]]:
    """Thing -> time and metres of its newest good level that is not older than that."""
    now = datetime.now(UTC)
    arguments = {"things": list(things), "since": now - fresh, "until": now + AHEAD}
    with available():
        return {thing: (at, value) for thing, at, value in conn.execute(QUERIES["newest"], arguments)}


def put(conn: Connection, thing: int, source: str, given: Mapping[str, Any]) -> None:
    """Configures a station. Never commits. Raises ConflictError where the levels do not rise."""
    first, second, third = given["levels"]
    if not first < second < third:
        raise ConflictError("alarm levels rise from I to III")
    row = {
        "thing": thing, "source": source, "level_1": first, "level_2": second, "level_3": third,
        "river": given.get("river") or "", "verified": list(given.get("verified") or []),
        "rain_km": given.get("rain_km") or 30.0,
        **{name: given.get(name) for name in ("record", "datum", "upstream", "lag")},
    }  # fmt: skip
    with available():
        conn.execute(QUERIES["put"], row)


@cache
def built_in() -> Mapping[str, Mapping[str, Any]]:
    """stations.toml."""
    found: dict[str, Mapping[str, Any]] = tomllib.loads((FOLDER / "stations.toml").read_text(encoding="utf-8"))
    return found


def adopt(conn: Connection, settings: Settings) -> Outcome:
    """The worker's job: configures Things with a water level that nobody configured yet, from stations.toml by the end
    of their name, else from what the device says of itself (`alarm_levels`). One without either is left alone."""
    with available():
        rows = conn.execute(QUERIES["unknown"]).fetchall()
    for thing, name, said in rows:
        key = next((key for key in built_in() if name == key or name.endswith(f"-{key}")), None)
        if key is not None:
            given = dict(built_in()[key])
            if given.get("upstream"):
                given["upstream"] = name.removesuffix(key) + str(given["upstream"])
            put(conn, thing, "built-in", given)
        elif _levels(said.get("alarm_levels")):
            put(conn, thing, "device", {"levels": said["alarm_levels"], "river": said.get("river"),
                                        "record": said.get("record_level")})  # fmt: skip
    return Outcome(0)


def _levels(found: Any) -> bool:
    numbers = isinstance(found, list) and len(found) == 3 and all(isinstance(one, int | float) for one in found)
    return bool(numbers and found[0] < found[1] < found[2])
