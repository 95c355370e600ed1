"""What may be asked of corridors: travel times, speeds along them, and how they are configured."""

from datetime import UTC, datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query

from services.auth.guard import Permit, allowed
from services.city.http import Reads
from services.city.inputs import means
from services.city.reading import latest, places
from services.deps import Database
from services.domains.traffic import derive, network, schemas
from services.domains.traffic.derive import FRESH, MEASURED, STEP
from services.domains.traffic.network import CHANNEL, Corridor
from services.errors import Problem
from services.rfc3339 import Moment
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError
from tram.store import registry
from tram.store.database import Connection

router = APIRouter()
Configures = Annotated[Permit, allowed("city.configure")]
Key = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["demo-1"])]


@router.get("/corridors", summary="Corridors and their travel times now")
def list_corridors(permit: Reads, database: Database) -> list[schemas.CorridorNow]:
    """By measured speeds, and by the BPR function of the flows."""
    return _now(database, permit.visible(network.corridors(database), lambda one: one.name))


@router.put("/corridors/{id}", summary="Configure a corridor")
def put_corridor(
    permit: Configures, database: Database, id: Key, body: schemas.CorridorBody
) -> schemas.CorridorNow:  # fmt: skip
    """Its detectors in the order of travel. All of them must be in one's own area."""
    at = [one.km for one in body.detectors]
    if at != sorted(at) or len(set(at)) < len(at) or at[-1] > body.km:
        raise Problem("invalid", "detectors stand in the order of travel, within the corridor's length")
    area = area_of(permit, database, [one.thing for one in body.detectors])
    permit.target = id
    return _now(database, [network.put_corridor(database, id, permit.principal.id, body.model_dump(), area)])[0]


@router.get("/corridors/{id}/time-space", summary="Speeds along a corridor over time")
def time_space(
    permit: Reads,
    database: Database,
    id: Key,
    end: Annotated[Moment | None, Query(alias="to", description="now without it")] = None,
    hours: Annotated[int, Query(ge=1, le=48)] = 6,
) -> schemas.TimeSpace:
    """For a heat map: one row a detector, one column five minutes."""
    road = _corridor(permit, database, id)
    last = (to_micros(end or datetime.now(UTC)) // STEP - 1) * STEP
    known = network.ids(database, [name for name, _ in road.detectors])
    wanted = [known[name] for name, _ in road.detectors]
    cube = means(database, wanted, MEASURED, last - (hours * 12 - 1) * STEP, last, STEP)
    periods = {one.id: one.properties.get("period_seconds") for one in places(database, MEASURED)}
    _, speeds = derive.detector_state(cube, periods)
    rows = np.round(speeds[np.searchsorted(cube.things, wanted)], 1).tolist()
    return schemas.TimeSpace(
        id=id, km=[km for _, km in road.detectors], detectors=[name for name, _ in road.detectors],
        times=[from_micros(start) for start in cube.starts.tolist()],
        speeds=[[None if one != one else one for one in row] for row in rows],
    )  # fmt: skip


def _now(conn: Connection, roads: list[Corridor]) -> list[schemas.CorridorNow]:
    names = ["corridor_travel_time", "corridor_travel_time_bpr"]
    told = latest(conn, CHANNEL, names, datetime.now(UTC) - FRESH, [road.thing for road in roads])
    found = []
    for road in roads:
        measured, by_flow = (told.get((road.thing, name)) for name in names)
        body = schemas.CorridorBody(
            vi=road.vi, en=road.en, km=road.km, lanes=road.lanes, capacity=road.capacity, free=road.free,
            detectors=[schemas.At(thing=name, km=km) for name, km in road.detectors],
        )  # fmt: skip
        found.append(schemas.CorridorNow(
            id=road.id, name=road.name, configuration=body, source=road.source,
            time=measured.time if measured else None, seconds=measured.value if measured else None,
            bpr=by_flow.value if by_flow else None,
        ))  # fmt: skip
    return found


def _corridor(permit: Permit, conn: Connection, id: str) -> Corridor:
    found = next((one for one in network.corridors(conn) if one.id == id), None)
    if found is None:
        raise NotFoundError(f"there is no corridor {id!r}")
    permit.require(permit.place(found.name))
    return found


def area_of(permit: Permit, conn: Connection, names: list[str]) -> str | None:
    """The area of the first detector, when all may be configured."""
    for name in names:
        permit.require(permit.place(name))
    return registry.get_thing(conn, names[0]).area
