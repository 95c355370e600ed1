"""What may be asked of the river service."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

import numpy as np
from fastapi.responses import Response

from services.auth.guard import Permit, allowed
from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.reading import Latest, Place, latest
from services.deps import Database, ThingName
from services.domains.rivers import cap, config, derive, forecast, hydro, schemas
from services.domains.rivers import replay as scenario
from services.domains.rivers.config import CHANNEL, FOLDER, Station
from tram.cap.document import Status
from tram.clock import from_micros
from tram.errors import NotFoundError
from tram.store import registry
from tram.store.database import Connection

router = endpoints(CHANNEL, "rivers", ("water_level", "rainfall"), properties(FOLDER))
Configures = Annotated[Permit, allowed("city.configure")]
FRESH = timedelta(hours=1)
NOW = ["flood_level", "level_rate", "flood_level_forecast", *(f"rain_{hours}h" for hours in derive.RAIN_HOURS)]


@router.get("/stations", summary="River stations now")
def list_stations(permit: Reads, database: Database) -> list[schemas.RiverStation]:
    """Level, rate of rise, alarm level, rain upstream: of every configured station one may see."""
    found = permit.visible(config.stations(database), lambda one: one.name)
    return _described(database, found)


@router.get("/stations/{name:path}/forecast", summary="The next six hours of a station")
def station_forecast(permit: Reads, database: Database, name: ThingName) -> schemas.RiverForecast:
    """With bands, persistence as the baseline, and the errors of the last days at every lead."""
    found = _station(permit, database, name)
    now = time.time_ns() // 1000
    every = config.stations(database)
    levels, last = derive.history(database, now, every)
    model, x = derive.learn(found, levels, {one.name: one for one in every})
    told = forecast.forecast(model, levels[found.thing], x)
    items = [
        schemas.Ahead(
            time=from_micros(last + k * derive.HOUR), level=_finite(line), low=_finite(low), high=_finite(high)
        )
        for k, (line, low, high) in zip(forecast.LEADS, told[-1].tolist(), strict=True)
    ]
    return schemas.RiverForecast(
        method=forecast.METHOD, upstream=found.upstream, lag=model.lag, items=items,
        leads=_leads(forecast.score(levels[found.thing], told)),
    )  # fmt: skip


@router.get("/stations/{name:path}/cap", summary="A CAP draft of a station's state", response_class=Response)
def station_cap(permit: Reads, database: Database, name: ThingName) -> Response:
    """CAP 1.2 with the status Test, for a person to check: of the alarm level reached, else of the one forecast.

    404 where neither is there. What is published goes out with the alarms.
    """
    one = _station(permit, database, name)
    now = _described(database, [one])[0].now
    reached, ahead = now.flood_level or 0, now.forecast_level or 0
    if now.level is None or now.time is None or not max(reached, ahead):
        raise NotFoundError(f"{name!r} is below its alarm levels, and is forecast to stay there")
    level = reached or ahead
    place = None if one.longitude is None or one.latitude is None else (one.longitude, one.latitude, 5.0)
    state = cap.State(one.label, one.river, level, now.level, one.levels[level - 1], now.time, not reached, place)
    return _cap(permit, state, f"{name}-{now.time:%Y%m%dT%H%M}", Status.TEST)


@router.get("/stations/{name:path}", summary="A river station")
def get_station(permit: Reads, database: Database, name: ThingName) -> schemas.RiverStation:
    """Its configuration and what it says now."""
    return _described(database, [_station(permit, database, name)])[0]


@router.put("/stations/{name:path}", summary="Configure a river station")
def put_station(
    permit: Configures, database: Database, name: ThingName, body: schemas.Configuration
) -> schemas.RiverStation:
    """Alarm levels, river, datum, the station upstream. What is computed from now on follows it."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    config.put(database, thing.id, permit.principal.id, body.model_dump())
    permit.detail = {"levels": list(body.levels)}
    found = next(one for one in config.stations(database) if one.thing == thing.id)
    return _described(database, [found])[0]


@router.get("/replays/2025-10", summary="The record flood of October 2025, replayed")
def replayed(permit: Reads) -> schemas.ReplayAnswer:
    """The timeline of alarms at Gia Bảy, forecasts scored against persistence; learnt from a flood of 2024's height."""
    told = scenario.replay()
    return schemas.ReplayAnswer(
        alarms=scenario.ALARMS.tolist(), lag=told.lag, leads=_leads(list(told.scores)),
        timeline=[
            schemas.ReplayEvent(time=from_micros(e.time), kind=e.kind, level=round(e.level, 2), text=_text(e))
            for e in told.events
        ],
        times=[from_micros(int(t)) for t in told.times.tolist()], levels=np.round(told.levels, 2).tolist(),
    )  # fmt: skip


@router.get("/replays/2025-10/cap", summary="The replay's CAP message", response_class=Response)
def replayed_cap(permit: Reads) -> Response:
    """As it would have gone out when level III was reached, with the status Exercise."""
    told = scenario.replay()
    up = next(event for event in told.events if event.en == "Alarm level III reached")
    place = (105.84, 21.60, 5.0)
    state = cap.State("Gia Bảy", "sông Cầu", 3, up.level, 27.0, from_micros(up.time), False, place)
    return _cap(permit, state, "gia-bay-2025-10", Status.EXERCISE)


def _cap(permit: Permit, state: cap.State, name: str, status: Status) -> Response:
    local = timezone(timedelta(hours=permit.state.settings.utc_offset))
    here = replace(state, at=state.at.astimezone(local))
    identifier = re.sub(r"[^A-Za-z0-9.-]", "-", name)
    drawn = cap.message(here, sender="tram-rivers", identifier=identifier, sent=here.at, status=status)
    return Response(drawn, media_type="application/cap+xml")


def _text(event: scenario.Event) -> dict[str, str]:
    return {"vi": event.vi, "en": event.en}


def _described(conn: Connection, found: list[Station]) -> list[schemas.RiverStation]:
    ids = [one.thing for one in found]
    since = datetime.now(UTC) - FRESH
    told = latest(conn, CHANNEL, NOW, since, ids)
    rows = conn.execute(config.QUERIES["newest"], {"things": ids, "since": since}).fetchall()
    levels = {thing: (at, value) for thing, at, value in rows}
    return [_one(one, levels.get(one.thing), told) for one in found]


def _one(
    one: Station, measured: tuple[datetime, float] | None, told: dict[tuple[int, str], Latest]
) -> schemas.RiverStation:
    def value(property: str) -> float | None:
        found = told.get((one.thing, property))
        return None if found is None else found.value

    level = None if measured is None else measured[1]
    reached = None if level is None else int(hydro.level_reached(np.array(level), one.alarms))
    ahead = value("flood_level_forecast")
    left = None if level is None or reached is None or reached > 2 else round(one.levels[reached] - level, 2)
    return schemas.RiverStation(
        name=one.name, label=one.label, source=one.source,
        location=Place(0, "", "", "", None, one.longitude, one.latitude, {}).geojson(),
        configuration=schemas.Configuration.model_validate({
            "river": one.river, "levels": one.levels, "verified": list(one.verified), "record": one.record,
            "datum": one.datum, "upstream": one.upstream, "lag": one.lag, "rain_km": one.rain_km,
        }),
        now=schemas.Now(
            time=None if measured is None else measured[0], level=None if level is None else round(level, 3),
            flood_level=reached, rate=value("level_rate"), to_next=left,
            forecast_level=None if ahead is None else round(ahead),
            rain={f"{hours}h": value(f"rain_{hours}h") for hours in derive.RAIN_HOURS},
        ),
    )  # fmt: skip


def _station(permit: Permit, conn: Connection, name: str) -> Station:
    permit.require(permit.place(name))
    for one in config.stations(conn):
        if one.name == name:
            return one
    raise NotFoundError(f"{name!r} is no configured river station")


def _leads(scores: list[forecast.Score]) -> list[schemas.LeadScore]:
    return [
        schemas.LeadScore(hours=s.hours, rmse=_finite(s.rmse), baseline=_finite(s.baseline),
                          skill=_finite(s.skill) if s.pairs else None, inside=_finite(s.inside), pairs=s.pairs)
        for s in scores
    ]  # fmt: skip


def _finite(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
