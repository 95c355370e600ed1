"""A river station as the answers tell it: its configuration and what it does now."""

from datetime import UTC, datetime, timedelta

import numpy as np

from services.city.reading import Latest, Place, finite, latest
from services.domains.rivers import config, derive, forecast, hydro, schemas
from services.domains.rivers.config import CHANNEL, Station
from tram.store.database import Connection

FRESH = timedelta(hours=1)
NOW = ["flood_level", "level_rate", "flood_level_forecast", *(f"rain_{hours}h" for hours in derive.RAIN_HOURS)]


def described(conn: Connection, found: list[Station]) -> list[schemas.RiverStation]:
    """Stations with level, rate of rise, alarm level and rain of the last hour; null where there is nothing so new."""
    ids = [one.thing for one in found]
    told = latest(conn, CHANNEL, NOW, datetime.now(UTC) - FRESH, ids)
    levels = config.newest(conn, ids, FRESH)
    return [_one(one, levels.get(one.thing), told) for one in found]


def _one(
    one: Station, measured: tuple[datetime, float] | None, told: dict[tuple[int, str], Latest]
) -> schemas.RiverStation:
    def value(property: str) -> float | None:
        found = told.get((one.thing, property))
        return None if found is None else found.value

    level = None if measured is None else measured[1]
    reached = None if level is None else int(hydro.level_reached(np.array(level), one.alarms))
    ahead, rate = value("flood_level_forecast"), value("level_rate")
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
            flood_level=reached, rate=rate, fast=(rate or 0.0) >= hydro.FAST, to_next=left,
            forecast_level=None if ahead is None else round(ahead),
            rain={f"{hours}h": value(f"rain_{hours}h") for hours in derive.RAIN_HOURS},
        ),
    )  # fmt: skip


def leads(scores: list[forecast.Score]) -> list[schemas.LeadScore]:
    """How good forecasts were, lead by lead."""
    return [
        schemas.LeadScore(hours=s.hours, rmse=finite(s.rmse), baseline=finite(s.baseline),
                          skill=finite(s.skill) if s.pairs else None, inside=finite(s.inside), pairs=s.pairs)
        for s in scores
    ]  # fmt: skip
