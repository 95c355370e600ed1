"""What is computed when data comes: level and rate, rain upstream; and by the clock the forecast."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.city.domain import Derivation
from services.city.inputs import Touched, means, reached
from services.city.reading import Place, latest, places
from services.city.results import Results
from services.domains.rivers import forecast, hydro
from services.domains.rivers.config import CHANNEL, Station, stations
from tram.clock import DAY, SECOND, from_micros
from tram.settings import Settings
from tram.store.database import Connection

Floats = NDArray[np.float64]

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
LEVEL_STEP, RAIN_STEP = 5 * MINUTE, 10 * MINUTE
WINDOW = 12
"""Five-minute steps of the rate's hour."""
RAIN_HOURS = (1, 3, 6, 24)
LEARN = 14 * DAY
LAG_MOST = 24
"""Hours: the longest lag between two stations."""


def level(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """Flood level of the touched five minutes, and the rate of rise of these and the hour after them."""
    configured = {one.thing: one for one in stations(conn)}
    last_over = (touched.now // LEVEL_STEP - 1) * LEVEL_STEP
    first = int(touched.bucket.min()) - (WINDOW - 1) * LEVEL_STEP
    ends = np.minimum(touched.bucket + (WINDOW - 1) * LEVEL_STEP, last_over)
    cube = means(conn, touched.thing, ("water_level",), first, int(ends.max()), LEVEL_STEP)
    levels = cube.of("water_level")
    rates = np.round(hydro.rate(levels, LEVEL_STEP / HOUR, WINDOW), 3)
    rows = np.searchsorted(cube.things, touched.thing)
    results = Results()
    begin = (touched.bucket - first) // LEVEL_STEP
    at = np.nonzero(reached(levels.shape, rows, begin, (ends - first) // LEVEL_STEP))
    results.add("level_rate", cube.things[at[0]], cube.starts[at[1]], rates[at])
    column = (touched.bucket - first) // LEVEL_STEP
    for row, thing in enumerate(cube.things.tolist()):
        station, mine = configured.get(thing), column[rows == row]
        if station is not None:
            stands = hydro.level_reached(levels[row, mine], station.alarms)
            results.add("flood_level", np.full(len(mine), thing), cube.starts[mine], stands)
    return results


LEVEL = Derivation("level", frozenset({"water_level"}), LEVEL_STEP, 20 * SECOND, level)


def rain(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """Rain sums of the stations whose catchment a touched gauge stands in, for the day after what was touched."""
    results = Results()
    gauges = {one.id: one for one in places(conn, ["rainfall"]) if one.longitude is not None}
    catchments = {s.thing: upstream_gauges(s, gauges) for s in stations(conn)}
    ids = sorted({id for members in catchments.values() for id in members})
    if not ids:
        return results
    last_over = (touched.now // RAIN_STEP - 1) * RAIN_STEP
    begin, most = int(touched.bucket.min()), RAIN_HOURS[-1] * 6
    end = min(int(touched.bucket.max()) + (most - 1) * RAIN_STEP, last_over)
    cube = means(conn, ids, ("rainfall",), begin - (most - 1) * RAIN_STEP, end, RAIN_STEP)
    amounts = (
        cube.of("rainfall") * np.array([10.0 / interval(gauges[id].properties) for id in cube.things.tolist()])[:, None]
    )
    changed = set(touched.thing.tolist())
    columns = np.arange(most - 1, amounts.shape[1])
    for thing, members in catchments.items():
        if not changed & set(members):
            continue
        mine = amounts[np.searchsorted(cube.things, members)]
        empty = np.isnan(mine).all(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(empty, np.nan, np.nansum(mine, axis=0) / (~np.isnan(mine)).sum(axis=0))
        for hours in RAIN_HOURS:
            sums = np.round(hydro.running_sum(mean, hours * 6), 1)[columns]
            results.add(f"rain_{hours}h", np.full(len(columns), thing), cube.starts[columns], sums)
    return results


def upstream_gauges(station: Station, gauges: Mapping[int, Place]) -> list[int]:
    """Rain gauges within `rain_km` of the point that lies half of it up the river: north, as rivers here run south."""
    if station.longitude is None or station.latitude is None:
        return []
    found = []
    for id, gauge in gauges.items():
        if gauge.longitude is None or gauge.latitude is None:
            continue
        north = (gauge.latitude - station.latitude) * 110.8 - station.rain_km / 2
        east = (gauge.longitude - station.longitude) * 111.3 * np.cos(np.radians(station.latitude))
        if np.hypot(north, east) <= station.rain_km:
            found.append(id)
    return sorted(found)


def interval(properties: Mapping[str, object]) -> float:
    """Minutes that a gauge's value is the rain of: its property `rain_interval_minutes`, else 10."""
    said = properties.get("rain_interval_minutes", 10)
    return float(said) if isinstance(said, int | float) and said > 0 else 10.0


def history(conn: Connection, now: int, found: list[Station]) -> tuple[dict[int, Floats], int]:
    """Ten-minute levels of LEARN for each station up to the last step that is over: by Thing, and that step's start."""
    last = (now // RAIN_STEP - 1) * RAIN_STEP
    cube = means(conn, [s.thing for s in found], ("water_level",), last - LEARN + RAIN_STEP, last, RAIN_STEP)
    return dict(zip(cube.things.tolist(), cube.of("water_level"), strict=True)), last


def learn(
    station: Station, levels: Mapping[int, Floats], by_name: Mapping[str, Station]
) -> tuple[forecast.Model, Floats]:
    """A station's model, and the features at every step of the history."""
    above = by_name.get(station.upstream or "")
    mine = levels[station.thing]
    upstream = levels[above.thing] if above is not None else None
    lag = station.lag
    if lag is None and upstream is not None:
        steps, _ = hydro.lag(upstream, mine, LAG_MOST * 6)
        lag = None if steps is None else steps / 6
    slopes = hydro.rate(mine, 1 / 6, 6)
    model = forecast.fit(mine, slopes, upstream, lag)
    return model, forecast.features(mine, slopes, upstream, lag)


def forecasts(conn: Connection, settings: Settings, now: int) -> Results | None:
    """By the clock, every ten minutes: the next six hours of each station, and the alarm level they reach."""
    found = stations(conn)
    if not found:
        return None
    at = (now // RAIN_STEP - 1) * RAIN_STEP
    if latest(conn, CHANNEL, ["flood_level_forecast"], from_micros(at)):
        return None
    levels, last = history(conn, now, found)
    by_name = {station.name: station for station in found}
    results = Results()
    for station in found:
        mine = levels[station.thing]
        if np.isnan(mine[-1]):
            continue
        model, x = learn(station, levels, by_name)
        told = np.round(forecast.forecast(model, mine[-1:], x[-1:])[0], 2)
        times = last + HOUR * np.array(forecast.LEADS)
        for column, name in enumerate(("level_forecast", "level_forecast_low", "level_forecast_high")):
            results.add(name, np.full(len(times), station.thing), times, told[:, column])
        reached = hydro.level_reached(told[:, 0], station.alarms)
        highest = np.nan if np.isnan(reached).all() else np.nanmax(reached)
        results.add("flood_level_forecast", [station.thing], [last], [highest])
    return results
