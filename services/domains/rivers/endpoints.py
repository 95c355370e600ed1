"""What may be asked of the river service."""

from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.deps import Database
from services.domains.rivers import config, now, replay_endpoints, schemas, station_endpoints
from services.domains.rivers.config import CHANNEL, FOLDER

router = endpoints(CHANNEL, "rivers", ("water_level", "rainfall"), properties(FOLDER))
router.include_router(station_endpoints.router)
router.include_router(replay_endpoints.router)


@router.get("/stations", summary="River stations now")
def list_stations(permit: Reads, database: Database) -> list[schemas.RiverStation]:
    """Level, rate of rise, alarm level, rain upstream: of every configured station one may see."""
    return now.described(database, permit.visible(config.stations(database), lambda one: one.name))
