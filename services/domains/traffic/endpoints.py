"""What may be asked of the traffic service."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import numpy as np
from fastapi import Path, Query

from services.auth.guard import Permit, allowed
from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.inputs import means
from services.city.reading import latest, places
from services.deps import Database
from services.domains.traffic import derive, flow, network, schemas
from services.domains.traffic.derive import MEASURED, STEP
from services.domains.traffic.network import CHANNEL, FOLDER, Corridor, Junction
from services.errors import Problem
from services.rfc3339 import Moment
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError
from tram.store import registry
from tram.store.database import Connection

router = endpoints(CHANNEL, "traffic", MEASURED, properties(FOLDER))
Configures = Annotated[Permit, allowed("city.configure")]
Key = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["demo-1"])]
FRESH = timedelta(minutes=30)
STATE = ["traffic_flow", "traffic_density", "level_of_service", "congestion_index", "incident_california",
         "incident_threshold"]  # fmt: skip
CONFIRMED = 2


@router.get("/detectors", summary="Detectors now")
def detectors(permit: Reads, database: Database) -> list[schemas.Detector]:
    """Flow, density, level of service with its edition, congestion, incidents: of every detector one may see."""
    told = latest(database, CHANNEL, STATE, datetime.now(UTC) - FRESH)
    found = []
    for one in permit.visible(places(database, MEASURED), lambda one: one.name):
        mine = {name: told[one.id, name] for name in STATE if (one.id, name) in told}
        value = {name: row.value for name, row in mine.items()}
        grade = value.get("level_of_service")
        found.append(schemas.Detector(
            name=one.name, label=one.label, location=one.geojson(),
            time=max((row.time for row in mine.values()), default=None),
            flow=value.get("traffic_flow"), density=value.get("traffic_density"),
            service=None if grade is None else flow.LETTERS[round(grade) - 1],
            edition=mine["level_of_service"].parameters.get("edition") if grade is not None else None,
            congestion=value.get("congestion_index"),
            incident=value.get("incident_california") == CONFIRMED or value.get("incident_threshold") == 1,
        ))  # fmt: skip
    return found


@router.get("/incidents", summary="Incidents that stand now")
def list_incidents(permit: Reads, database: Database) -> list[schemas.Incident]:
    """By either method; docs/guides/traffic.md has how often each is right."""
    told = latest(database, CHANNEL, ["incident_california", "incident_threshold"], datetime.now(UTC) - FRESH)
    found = []
    for one in permit.visible(places(database, MEASURED), lambda one: one.name):
        pair, fixed = told.get((one.id, "incident_california")), told.get((one.id, "incident_threshold"))
        state, high = round((pair and pair.value) or 0), bool(fixed and fixed.value)
        newest = max((row.time for row in (pair, fixed) if row), default=None)
        if newest is not None and (state or high):
            told_of = schemas.Incident(name=one.name, label=one.label, time=newest, california=state, threshold=high)
            found.append(told_of)
    return found


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
    area = _area(permit, database, [one.thing for one in body.detectors])
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


@router.get("/junctions", summary="Junctions")
def list_junctions(permit: Reads, database: Database) -> list[schemas.JunctionInfo]:
    """Those whose detectors one may see."""
    seen = permit.visible(network.junctions(database), lambda one: one.phases[0].detectors[0])
    return [_info(one) for one in seen]


@router.put("/junctions/{id}", summary="Configure a junction")
def put_junction(permit: Configures, database: Database, id: Key, body: schemas.JunctionBody) -> schemas.JunctionInfo:
    """Its phases with their detectors and saturation flows, and the time lost in a cycle."""
    area = _area(permit, database, [name for phase in body.phases for name in phase.detectors])
    permit.target = id
    return _info(network.put_junction(database, id, permit.principal.id, body.model_dump(), area))


@router.get("/junctions/{id}/signal", summary="Signal timing by Webster")
def signal(
    permit: Reads,
    database: Database,
    id: Key,
    end: Annotated[Moment | None, Query(alias="to", description="now without it")] = None,
    minutes: Annotated[int, Query(ge=5, le=240, description="flows of so long before it")] = 60,
) -> schemas.SignalAdvice:
    """For the mean flows of a stretch of time. Advice for an engineer: nothing is sent to a signal."""
    found = next((one for one in network.junctions(database) if one.id == id), None)
    if found is None:
        raise NotFoundError(f"there is no junction {id!r}")
    names = sorted({name for phase in found.phases for name in phase.detectors})
    for name in names:
        permit.require(permit.place(name))
    known = network.ids(database, names)
    last = (to_micros(end) if end else time.time_ns() // 1000) // STEP * STEP
    first = last - minutes * 60_000_000 // STEP * STEP
    cube = means(database, list(known.values()), ["traffic_flow"], first, last - STEP, STEP, channel=CHANNEL)
    values = cube.of("traffic_flow")
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0).sum(axis=1) / there.sum(axis=1)
    row = {name: mean[np.searchsorted(cube.things, thing)] for name, thing in known.items()}
    flows = np.array([_largest([row[name] for name in phase.detectors]) for phase in found.phases])
    advice = flow.webster(flows, np.array([phase.saturation for phase in found.phases]), found.lost)
    greens, delays = advice.greens or [None] * len(flows), advice.delays or [None] * len(flows)
    return schemas.SignalAdvice(
        id=id, start=from_micros(first), end=from_micros(last), edition=flow.EDITION, service=advice.service,
        degree=_finite(advice.degree), cycle=_finite(advice.cycle),
        phases=[
            schemas.PhaseAdvice(vi=p.vi, en=p.en, flow=_finite(q), green=_finite(g), delay=_finite(d))
            for p, q, g, d in zip(found.phases, flows.tolist(), greens, delays, strict=True)
        ],
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


def _info(one: Junction) -> schemas.JunctionInfo:
    phases = [
        schemas.PhaseBody(vi=p.vi, en=p.en, detectors=list(p.detectors), saturation=p.saturation) for p in one.phases
    ]
    return schemas.JunctionInfo(id=one.id, vi=one.vi, en=one.en, phases=phases, lost=one.lost, source=one.source)


def _corridor(permit: Permit, conn: Connection, id: str) -> Corridor:
    found = next((one for one in network.corridors(conn) if one.id == id), None)
    if found is None:
        raise NotFoundError(f"there is no corridor {id!r}")
    permit.require(permit.place(found.name))
    return found


def _area(permit: Permit, conn: Connection, names: list[str]) -> str | None:
    """The area of the first detector, when all may be configured."""
    for name in names:
        permit.require(permit.place(name))
    return registry.get_thing(conn, names[0]).area


def _largest(values: list[float]) -> float:
    return max((value for value in values if value == value), default=float("nan"))


def _finite(value: float | None) -> float | None:
    return round(float(value), 2) if value is not None and np.isfinite(value) else None
