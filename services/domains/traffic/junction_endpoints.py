"""What may be asked of junctions: their phases, and how long each should be green."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query

from services.city.http import Reads
from services.city.inputs import means
from services.city.reading import finite, now
from services.deps import Database
from services.domains.traffic import flow, network, schemas
from services.domains.traffic.corridor_endpoints import Configures, Key, area_of
from services.domains.traffic.derive import STEP
from services.domains.traffic.network import CHANNEL, Junction
from services.rfc3339 import Moment
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError

router = APIRouter()


@router.get("/junctions", summary="Junctions")
def list_junctions(permit: Reads, database: Database) -> list[schemas.JunctionInfo]:
    """Those whose detectors one may see."""
    seen = permit.visible(network.junctions(database), lambda one: one.phases[0].detectors[0])
    return [_info(one) for one in seen]


@router.put("/junctions/{id}", summary="Configure a junction")
def put_junction(permit: Configures, database: Database, id: Key, body: schemas.JunctionBody) -> schemas.JunctionInfo:
    """Its phases with their detectors and saturation flows, and the time lost in a cycle."""
    area = area_of(permit, database, [name for phase in body.phases for name in phase.detectors])
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
    last = (to_micros(end) if end else now()) // STEP * STEP
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
        degree=finite(advice.degree), cycle=finite(advice.cycle),
        phases=[
            schemas.PhaseAdvice(vi=p.vi, en=p.en, flow=finite(q), green=finite(g), delay=finite(d))
            for p, q, g, d in zip(found.phases, flows.tolist(), greens, delays, strict=True)
        ],
    )  # fmt: skip


def _info(one: Junction) -> schemas.JunctionInfo:
    phases = [
        schemas.PhaseBody(vi=p.vi, en=p.en, detectors=list(p.detectors), saturation=p.saturation) for p in one.phases
    ]
    return schemas.JunctionInfo(id=one.id, vi=one.vi, en=one.en, phases=phases, lost=one.lost, source=one.source)


def _largest(values: list[float]) -> float:
    return max((value for value in values if value == value), default=float("nan"))
