"""What may be asked of one air station: its indices, forecast, episodes and calendar."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from services.auth.guard import Permit
from services.city.http import Reads
from services.city.inputs import means
from services.city.reading import Latest, Place, finite, latest, now, place
from services.deps import Database, ThingName
from services.domains.air import derive, forecast, open_endpoints, schemas, vn_aqi, watch
from services.domains.air.bands import band
from services.domains.air.derive import CHANNEL, HOUR
from tram.clock import DAY, from_micros
from tram.store.database import Connection

router = APIRouter()
Days = Annotated[int, Query(ge=1, le=90, description="days back")]


@router.get("/stations/{name:path}/forecast", summary="The next 24 hours of a station")
def station_forecast(permit: Reads, database: Database, name: ThingName) -> schemas.ForecastAnswer:
    """With persistence beside it, and the skill measured on the last days for every lead."""
    found = _station(permit, database, name)
    at = now()
    ids, _ = derive.stations(database)
    model, _ = derive.learn(database, ids, at, permit.state.settings.utc_offset)
    last = derive.forecast_from(database, found.id, at)
    ahead = means(database, [found.id], ["vn_aqi_forecast"], last + HOUR, last + 24 * HOUR, HOUR, channel=CHANNEL)
    current = latest(database, CHANNEL, ["vn_aqi"], open_endpoints.recent(), [found.id]).get((found.id, "vn_aqi"))
    items = []
    for start, value in zip(ahead.starts.tolist(), ahead.of("vn_aqi_forecast")[0].tolist(), strict=True):
        level = band(value)
        whole = None if value != value else round(value)
        items.append(schemas.Step(time=from_micros(start), value=whole, band=level.key if level else None))
    leads = [
        schemas.Lead(hours=k + 1, rmse=finite(model.rmse[k]), baseline=finite(model.baseline[k]),
                     skill=finite(model.skill[k]), pairs=int(model.pairs[k]))
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
    last = (now() // HOUR - 1) * HOUR
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
        days.append(schemas.Day(day=day, value=whole, band=level.key if level else None, worst=worst))
    return days


@router.get("/stations/{name:path}", summary="A station with its indices and advice")
def get_station(permit: Reads, database: Database, name: ThingName) -> schemas.StationDetail:
    """VN_AQI of the hour and of the last day, US AQI beside them, advice for the band it is in."""
    found = _station(permit, database, name)
    since = datetime.now(UTC) - open_endpoints.DAY_FRESH
    told = latest(database, CHANNEL, ["vn_aqi", "us_aqi", "vn_aqi_day"], since, [found.id])

    def fresh(property: str, age: datetime) -> Latest | None:
        one = told.get((found.id, property))
        return one if one is not None and one.time >= age else None

    hour = fresh("vn_aqi", open_endpoints.recent())
    level = band(hour.value) if hour else None
    return schemas.StationDetail(
        **dict(schemas.Station.of(found, hour)),
        day=schemas.Index.of(fresh("vn_aqi_day", since)), us=schemas.Index.of(fresh("us_aqi", open_endpoints.recent())),
        advice={group: dict(said) for group, said in level.advice.items()} if level else {},
    )  # fmt: skip


def _station(permit: Permit, conn: Connection, name: str) -> Place:
    permit.require(permit.place(name))
    return place(conn, name, vn_aqi.POLLUTANTS)
