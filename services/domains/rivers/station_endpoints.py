"""What may be asked of one river station, and how it is configured."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from services.auth.guard import Permit, allowed
from services.city import reading, recompute
from services.city.http import Reads
from services.city.reading import finite
from services.deps import Database, ThingName
from services.domains.rivers import cap, config, derive, forecast, now, replay_endpoints, schemas
from services.domains.rivers.config import CHANNEL, Station
from services.domains.rivers.derive import LEVEL
from tram.cap.document import Status
from tram.clock import from_micros
from tram.errors import NotFoundError
from tram.store import registry
from tram.store.database import Connection

router = APIRouter()
Configures = Annotated[Permit, allowed("city.configure")]


@router.get("/stations/{name:path}/forecast", summary="The next six hours of a station")
def station_forecast(permit: Reads, database: Database, name: ThingName) -> schemas.RiverForecast:
    """With bands, persistence as the baseline, and the errors of the last days at every lead."""
    found = _station(permit, database, name)
    every = config.stations(database)
    levels, last = derive.history(database, reading.now(), every)
    model, x = derive.learn(found, levels, {one.name: one for one in every})
    told = forecast.forecast(model, levels[found.thing], x)
    items = [
        schemas.Ahead(time=from_micros(last + k * derive.HOUR), level=finite(line), low=finite(low), high=finite(high))
        for k, (line, low, high) in zip(forecast.LEADS, told[-1].tolist(), strict=True)
    ]
    return schemas.RiverForecast(
        method=forecast.METHOD, upstream=found.upstream, lag=model.lag, items=items,
        leads=now.leads(forecast.score(levels[found.thing], told)),
    )  # fmt: skip


@router.get("/stations/{name:path}/cap", summary="A CAP draft of a station's state", response_class=Response)
def stationcap_answer(permit: Reads, database: Database, name: ThingName) -> Response:
    """CAP 1.2 with the status Test, for a person to check: of the alarm level reached, else of the one forecast.

    404 where neither is there. What is published goes out with the alarms.
    """
    one = _station(permit, database, name)
    told = now.described(database, [one])[0].now
    reached, ahead = told.flood_level or 0, told.forecast_level or 0
    if told.level is None or told.time is None or not max(reached, ahead):
        raise NotFoundError(f"{name!r} is below its alarm levels, and is forecast to stay there")
    level = reached or ahead
    place = None if one.longitude is None or one.latitude is None else (one.longitude, one.latitude, 5.0)
    state = cap.State(one.label, one.river, level, told.level, one.levels[level - 1], told.time, not reached, place)
    return replay_endpoints.cap_answer(permit, state, f"{name}-{told.time:%Y%m%dT%H%M}", Status.TEST)


@router.get("/stations/{name:path}", summary="A river station")
def get_station(permit: Reads, database: Database, name: ThingName) -> schemas.RiverStation:
    """Its configuration and what it says now."""
    return now.described(database, [_station(permit, database, name)])[0]


@router.put("/stations/{name:path}", summary="Configure a river station")
def put_station(
    permit: Configures, database: Database, name: ThingName, body: schemas.Configuration
) -> schemas.RiverStation:
    """Alarm levels, river, datum, the station upstream. What is computed from now on follows it.

    The worker computes the last year again; `tram domain recompute rivers` reaches further back.
    """
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    config.put(database, thing.id, permit.principal.id, body.model_dump())
    recompute.note(database, CHANNEL, LEVEL, thing.id)
    permit.detail = {"levels": list(body.levels)}
    found = next(one for one in config.stations(database) if one.thing == thing.id)
    return now.described(database, [found])[0]


def _station(permit: Permit, conn: Connection, name: str) -> Station:
    permit.require(permit.place(name))
    for one in config.stations(conn):
        if one.name == name:
            return one
    raise NotFoundError(f"{name!r} is no configured river station")
