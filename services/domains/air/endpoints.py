"""What may be asked of the air service."""

import numpy as np

from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.inputs import means
from services.city.reading import finite, latest, now, places
from services.deps import Database
from services.domains.air import derive, open_endpoints, schemas, spatial, station_endpoints, vn_aqi, watch
from services.domains.air.derive import CHANNEL, FOLDER, HOUR
from services.domains.air.station_endpoints import Days
from tram.clock import DAY

router = endpoints(CHANNEL, "air", (*vn_aqi.POLLUTANTS,), properties(FOLDER))
router.include_router(open_endpoints.router)
router.include_router(station_endpoints.router)


@router.get("/stations", summary="Stations and their index now")
def list_stations(permit: Reads, database: Database) -> list[schemas.Station]:
    """Every station one may see; one without a dust sensor, or with too little data, has no index."""
    found = latest(database, CHANNEL, ["vn_aqi"], open_endpoints.recent())
    seen = permit.visible(places(database, vn_aqi.POLLUTANTS), lambda one: one.name)
    return [schemas.Station.of(one, found.get((one.id, "vn_aqi"))) for one in seen]


@router.get("/communes", summary="Communes and their estimated index now")
def list_communes(permit: Reads, database: Database) -> schemas.Communes:
    """At the middle of each commune; the method is named, and its error by leave-one-out stands beside it."""
    return open_endpoints.communes(database, open_endpoints.recent())


@router.get("/sensors", summary="Completeness and drift of the sensors")
def sensors(permit: Reads, database: Database, days: Days = 14) -> list[schemas.SensorWatch]:
    """Of PM2.5: the share of hours that have a mean, and how each moved against its neighbours."""
    last = (now() // HOUR - 1) * HOUR
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
            drift=finite(change[row[p.id]]), drifts=bool(abs(change[row[p.id]]) > watch.DRIFT),
            days=int(compared[row[p.id]]),
        )
        for p in seen
    ]  # fmt: skip
