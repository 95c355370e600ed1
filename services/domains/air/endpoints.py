"""What may be asked of the air service."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import numpy as np
from fastapi import Query

from services.auth.guard import Permit
from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.inputs import means
from services.city.reading import Latest, Place, latest, place, places
from services.deps import Database, ThingName
from services.domains.air import derive, forecast, open_endpoints, schemas, spatial, vn_aqi, watch
from services.domains.air.bands import band
from services.domains.air.derive import CHANNEL, FOLDER, HOUR
from tram.clock import DAY, from_micros
from tram.store.database import Connection

router = endpoints(CHANNEL, "air", (*vn_aqi.POLLUTANTS,), properties(FOLDER))
router.include_router(open_endpoints.router)
Days = Annotated[int, Query(ge=1, le=90, description="days back")]


def _now() -> int:
    return time.time_ns() // 1000


def _recent() -> datetime:
    return datetime.now(UTC) - open_endpoints.FRESH


@router.get("/stations", summary="Stations and their index now")
def list_stations(permit: Reads, database: Database) -> list[schemas.Station]:
    """Every station one may see; one without a dust sensor, or with too little data, has no index."""
    found = latest(database, CHANNEL, ["vn_aqi"], _recent())
    seen = permit.visible(places(database, vn_aqi.POLLUTANTS), lambda one: one.name)
    return [schemas.Station.of(one, found.get((one.id, "vn_aqi"))) for one in seen]


@router.get("/communes", summary="Communes and their estimated index now")
def list_communes(permit: Reads, database: Database) -> schemas.Communes:
    """At the middle of each commune; the method is named, and its error by leave-one-out stands beside it."""
    return open_endpoints.communes(database, _recent())


@router.get("/stations/{name:path}/forecast", summary="The next 24 hours of a station")
def station_forecast(permit: Reads, database: Database, name: ThingName) -> schemas.ForecastAnswer:
    """With persistence beside it, and the skill measured on the last days for every lead."""
    found = _station(permit, database, name)
    now = _now()
    ids, _ = derive.stations(database)
    model, _ = derive.learn(database, ids, now, permit.state.settings.utc_offset)
    last = (now // HOUR - 1) * HOUR
    ahead = means(database, [found.id], ["vn_aqi_forecast"], last + HOUR, last + 24 * HOUR, HOUR, channel=CHANNEL)
    current = latest(database, CHANNEL, ["vn_aqi"], _recent(), [found.id]).get((found.id, "vn_aqi"))
    items = []
    for start, value in zip(ahead.starts.tolist(), ahead.of("vn_aqi_forecast")[0].tolist(), strict=True):
        level = band(value)
        whole = None if value != value else round(value)
        items.append(schemas.Step(time=from_micros(start), value=whole, band=level.key if level else None))
    leads = [
        schemas.Lead(hours=k + 1, rmse=_finite(model.rmse[k]), baseline=_finite(model.baseline[k]),
                     skill=_finite(model.skill[k]), pairs=int(model.pairs[k]))
        for k in range(forecast.LEADS)
    ]  # fmt: skip
    stays = None if current is None or current.value is None else round(current.value)
    return schemas.ForecastAnswer(method=forecast.METHOD, items=items, persistence=stays, leads=leads)


@router.get("/stations/{name:path}/episodes", summary="When the air was bad for hours")
def station_episodes(
    permit: Reads, database: Database, name: ThingName, days: Days = 30
) -> list[schemas.EpisodeAnswer]:
    """Three hours in a row, or more, above 100 (Kém); the newest first."""
    found = _station(permit, database, name)
    last = (_now() // HOUR - 1) * HOUR
    cube = means(database, [found.id], ["vn_aqi"], last - days * DAY + HOUR, last, HOUR, channel=CHANNEL)
    return [
        schemas.EpisodeAnswer(
            start=from_micros(int(cube.starts[e.first])), end=from_micros(int(cube.starts[e.last]) + HOUR),
            hours=e.last - e.first + 1, peak=round(e.peak), mean=round(e.mean, 1),
        )
        for e in reversed(watch.episodes(cube.of("vn_aqi")[0]))
    ]  # fmt: skip


@router.get("/stations/{name:path}/calendar", summary="A year of days")
def station_calendar(
    permit: Reads, database: Database, name: ThingName,
    year: Annotated[int, Query(ge=2000, le=2100, examples=[2026])],
) -> list[schemas.Day]:  # fmt: skip
    """The daily index of every day of a year (+07) that has one, for a calendar heat map."""
    found = _station(permit, database, name)
    local = open_endpoints.local(permit)
    span = datetime(year, 1, 1, tzinfo=local), datetime(year + 1, 1, 1, tzinfo=local)
    rows = database.execute(
        derive.QUERIES["days"], {"thing": found.id, "channel": CHANNEL, "start": span[0], "end": span[1]}
    )
    days = []
    for at, value, told in rows.fetchall():
        level = band(value)
        whole = None if value is None else round(value)
        day, worst = at.astimezone(local).date().isoformat(), (told or {}).get("worst")
        whole = None if value is None else round(value)
        day, worst = at.astimezone(local).date().isoformat(), (told or {}).get("worst")
        days.append(schemas.Day(day=day, value=whole, band=level.key if level else None, worst=worst))
    return days


@router.get("/stations/{name:path}", summary="A station with its indices and advice")
def get_station(permit: Reads, database: Database, name: ThingName) -> schemas.StationDetail:
    """VN_AQI of the hour and of the last day, US AQI beside them, advice for the band it is in."""
    found = _station(permit, database, name)
    since = datetime.now(UTC) - timedelta(days=2)
    told = latest(database, CHANNEL, ["vn_aqi", "us_aqi", "vn_aqi_day"], since, [found.id])

    def fresh(property: str, age: datetime) -> Latest | None:
        one = told.get((found.id, property))
        return one if one is not None and one.time >= age else None

    hour = fresh("vn_aqi", _recent())
    level = band(hour.value) if hour else None
    return schemas.StationDetail(
        **dict(schemas.Station.of(found, hour)),
        day=schemas.Index.of(fresh("vn_aqi_day", since)), us=schemas.Index.of(fresh("us_aqi", _recent())),
        advice={group: dict(said) for group, said in level.advice.items()} if level else {},
    )  # fmt: skip


@router.get("/sensors", summary="Completeness and drift of the sensors")
def sensors(permit: Reads, database: Database, days: Days = 14) -> list[schemas.SensorWatch]:
    """Of PM2.5: the share of hours that have a mean, and how each moved against its neighbours."""
    last = (_now() // HOUR - 1) * HOUR
    ids, where = derive.stations(database)
    # Hourly means by rollup would count values that are flagged; the index is there only where good ones were.
    cube = means(database, ids, ["pm2_5"], last - days * DAY + HOUR, last, HOUR)
    hourly = cube.of("pm2_5")
    daily = vn_aqi.day_values({"pm2_5": hourly.reshape(len(ids), -1, 24)})["pm2_5"] if len(ids) else hourly
    change, compared = watch.drift(daily, spatial.distances(where, where))
    there = (~np.isnan(hourly)).sum(axis=1)
    row = {id: i for i, id in enumerate(ids.tolist())}
    seen = permit.visible([p for p in places(database, vn_aqi.DUST) if p.id in row], lambda one: one.name)
    return [
        schemas.SensorWatch(
            name=p.name, label=p.label, hours=int(there[row[p.id]]),
            complete=round(there[row[p.id]] / hourly.shape[1], 3),
            drift=_finite(change[row[p.id]]), drifts=bool(abs(change[row[p.id]]) > watch.DRIFT),
            days=int(compared[row[p.id]]),
        )
        for p in seen
    ]  # fmt: skip


def _station(permit: Permit, conn: Connection, name: str) -> Place:
    permit.require(permit.place(name))
    return place(conn, name, vn_aqi.POLLUTANTS)


def _finite(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
