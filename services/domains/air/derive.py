"""What is computed when data comes: the hourly index of stations and communes, the index of days, the forecast."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.city.area_things import area_things
from services.city.inputs import Cube, Touched, means, reached
from services.city.reading import latest, places
from services.city.results import Results
from services.domains.air import forecast, spatial, us_aqi, vn_aqi
from tram.clock import DAY, SECOND, from_micros
from tram.settings import Settings
from tram.store.database import Connection
from tram.store.sqlfile import load_path

FOLDER = Path(__file__).parent
QUERIES = load_path(FOLDER / "queries.sql")
HOUR = 3600 * SECOND
MOST = int(vn_aqi.INDEX[-1])
CHANNEL = "air"
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def hourly(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """VN_AQI and US AQI of the hours that the touched ones go into, and the communes' estimates of those hours.

    Dust of an hour is in its NowCast and the 11 after it; a gas in its own hour alone. `phenomenonTime` is the start of
    the hour.
    """
    last_over = (touched.now // HOUR - 1) * HOUR
    reach = np.where(np.isin(touched.property, vn_aqi.DUST), (vn_aqi.HOURS - 1) * HOUR, 0)
    ends = np.minimum(touched.bucket + reach, last_over)
    things = np.unique(touched.thing)
    first, last = int(touched.bucket.min()), int(ends.max())
    cube = means(conn, things, vn_aqi.POLLUTANTS, first - (vn_aqi.HOURS - 1) * HOUR, last, HOUR)
    index, subs, us = _indices(cube)
    row, begin = np.searchsorted(things, touched.thing), (touched.bucket - cube.first) // HOUR
    at = np.nonzero(reached(index.shape, row, begin, (ends - cube.first) // HOUR))
    results = Results()
    results.add("vn_aqi", cube.things[at[0]], cube.starts[at[1]], index[at], _told(subs, at))
    results.add("us_aqi", cube.things[at[0]], cube.starts[at[1]], us[at])
    hours = np.unique(at[1])
    results.join(_communes(conn, cube, index, hours))
    return results


def daily(conn: Connection, touched: Touched, settings: Settings) -> Results:
    """VN_AQI of the days that were touched; `phenomenonTime` is the day's start (+07)."""
    days = np.unique(touched.bucket)
    results = Results()
    for day in days.tolist():
        things = np.unique(touched.thing[touched.bucket == day])
        cube = means(conn, things, vn_aqi.POLLUTANTS, day, day + 23 * HOUR, HOUR)
        index, subs = vn_aqi.daily_index(vn_aqi.day_values({p: cube.of(p) for p in cube.properties}))
        rows = (np.arange(len(cube.things)),)
        results.add("vn_aqi_day", cube.things, np.full(len(cube.things), day), index, _told(subs, rows))
    return results


def _indices(cube: Cube) -> tuple[Floats, Mapping[str, Floats], Floats]:
    smooth = vn_aqi.smoothed({p: cube.of(p) for p in cube.properties})
    return *vn_aqi.index(smooth), us_aqi.index(smooth)


def _told(subs: Mapping[str, Floats], at: tuple[NDArray[Any], ...]) -> Sequence[bytes]:
    """The worst pollutant and every pollutant's index of these cells: JSON."""
    # As PostgreSQL writes it, put together from pieces: a dict a cell took longer than the indices.
    keys = sorted(subs, key=lambda name: (len(name), name))
    pieces = {p: [f'"{p}": {i}, '.encode() for i in range(MOST + 1)] + [b""] for p in keys}
    cells = [np.where(np.isnan(subs[p][at]), MOST + 1, subs[p][at]).astype(np.int64).tolist() for p in keys]
    ends = {
        p: f'}}, "worst": "{p}", "edition": {json.dumps(vn_aqi.EDITION, ensure_ascii=False)}}}'.encode() for p in keys
    }
    columns = [map(pieces[p].__getitem__, column) for p, column in zip(keys, cells, strict=True)]
    rows = zip(vn_aqi.worst(subs)[at].tolist(), map(b"".join, zip(*columns, strict=True)), strict=True)
    return [b'{"sub": {' + told[:-2] + ends[name] if name else b"" for name, told in rows]


def _communes(conn: Connection, cube: Cube, index: Floats, hours: NDArray[np.intp]) -> Results:
    """Estimates for the communes, of these hours (columns of the cube), from all stations: also those not touched."""
    results = Results()
    (ids, place), every = stations(conn), area_things(conn)
    if not len(hours) or not len(ids) or not every:
        return results
    first, last = int(cube.starts[hours[0]]), int(cube.starts[hours[-1]])
    columns, times = hours - hours[0], cube.starts[hours]
    # What is computed now is not stored yet: it takes the place of what stands there.
    known = np.isin(cube.things, ids)
    rows = np.searchsorted(ids, cube.things[known])
    others = np.delete(ids, rows)
    values = np.full((len(ids), len(times)), np.nan)
    values[rows] = index[np.ix_(np.flatnonzero(known), hours)]
    if len(others):
        stands = means(conn, others, ("vn_aqi",), first, last, HOUR, channel=CHANNEL).of("vn_aqi")
        values[np.searchsorted(ids, others)] = stands[:, columns]
    communes = [area for area in every if area.leaf and area.place]
    if communes:
        there = np.array([area.place for area in communes], np.float64)
        found = vn_aqi.half_up(spatial.estimate(values, spatial.distances(there, place)))
        who = np.array([area.thing for area in communes], np.int64)
        results.add("vn_aqi_estimate", np.repeat(who, len(times)), np.tile(times, len(who)), found.ravel())
    whole = [area for area in every if not area.leaf]
    if whole:
        error = np.round(spatial.leave_one_out(values, spatial.distances(place, place)), 1)
        for area in whole:
            results.add("vn_aqi_estimate_error", np.full(len(times), area.thing), times, error)
    return results


def stations(conn: Connection) -> tuple[Ints, Floats]:
    """Things that measure dust and stand somewhere: ids, rising, and (longitude, latitude) rows."""
    found = sorted((p.id, p.longitude, p.latitude) for p in places(conn, vn_aqi.DUST) if p.longitude is not None)
    where = np.array([row[1:] for row in found], np.float64).reshape(-1, 2)
    return np.array([row[0] for row in found], np.int64), where


def learn(conn: Connection, ids: Ints, now: int, offset: int) -> tuple[forecast.Model, Cube]:
    """The forecast's model from the last weeks of the hourly index, up to the last hour that is over.

    Args:
        offset: hours that local time is ahead of UTC.
    """
    last = (now // HOUR - 1) * HOUR
    first = last - (forecast.FIT_DAYS + forecast.TEST_DAYS) * DAY + HOUR
    cube = means(conn, ids, ("vn_aqi",), first, last, HOUR, channel=CHANNEL)
    return forecast.fit(cube.of("vn_aqi"), local_hours(cube.starts, offset)), cube


def local_hours(starts: Ints, offset: int) -> Ints:
    """Hour of the local day, 0 to 23."""
    return (starts // HOUR + offset) % 24


def forecasts(conn: Connection, settings: Settings, now: int) -> Results | None:
    """By the clock: once an hour, when its index is there, the next 24, and how good the method was."""
    ids, _ = stations(conn)
    last = (now // HOUR - 1) * HOUR
    if not len(ids) or latest(conn, CHANNEL, ["vn_aqi_forecast"], from_micros(last + forecast.LEADS * HOUR)):
        return None
    model, cube = learn(conn, ids, now, settings.utc_offset)
    current = cube.of("vn_aqi")[:, -1]
    if np.isnan(current).all():
        return None  # the hour is over, its index is not there yet
    hour = int(local_hours(cube.starts[-1:], settings.utc_offset)[0])
    told = vn_aqi.half_up(np.clip(forecast.forecast(model, current, hour), 0.0, 500.0))
    times = last + HOUR * (1 + np.arange(forecast.LEADS))
    results = Results()
    who = np.repeat(cube.things, forecast.LEADS)
    results.add("vn_aqi_forecast", who, np.tile(times, len(cube.things)), told.ravel())
    skill = float(np.round(model.skill[-1], 3))
    counted = {"rmse": _number(model.rmse[-1]), "baseline": _number(model.baseline[-1]), "pairs": int(model.pairs[-1])}
    for area in area_things(conn):
        if not area.leaf:
            results.add("vn_aqi_forecast_skill", [area.thing], [last], [skill], [counted])
    return results


def forecast_from(conn: Connection, thing: int, now: int) -> int:
    """Start of the hour that a station's newest forecast begins after: the last that is over, or, for the minutes until
    that one's index is there, the one before it."""
    last = (now // HOUR - 1) * HOUR
    end = from_micros(last + (forecast.LEADS - 1) * HOUR)
    newest = latest(conn, CHANNEL, ["vn_aqi_forecast"], end, [thing]).get((thing, "vn_aqi_forecast"))
    return last - HOUR if newest is not None and newest.time == end else last


def _number(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None
