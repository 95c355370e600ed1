"""What may be asked of the traffic service."""

from datetime import UTC, datetime

from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.reading import latest, places
from services.deps import Database
from services.domains.traffic import corridor_endpoints, flow, junction_endpoints, measured, schemas
from services.domains.traffic.derive import FRESH, MEASURED
from services.domains.traffic.network import CHANNEL, FOLDER

router = endpoints(CHANNEL, "traffic", MEASURED, properties(FOLDER))
router.include_router(corridor_endpoints.router)
router.include_router(junction_endpoints.router)
STATE = ["traffic_flow", "traffic_density", "level_of_service", "congestion_index", "incident_california",
         "incident_threshold"]  # fmt: skip
CONFIRMED = 2


@router.get("/detectors", summary="Detectors now")
def detectors(permit: Reads, database: Database) -> list[schemas.Detector]:
    """Flow, density, level of service with its edition, congestion, incidents: of every detector one may see."""
    told = latest(database, CHANNEL, STATE, datetime.now(UTC) - FRESH)
    found = []
    for one in permit.visible(places(database, MEASURED), lambda one: one.name):
        mine = {name: told[one.id, name] for name in STATE if (one.id, name) in told}
        value = {name: row.value for name, row in mine.items()}
        grade = value.get("level_of_service")
        found.append(schemas.Detector(
            name=one.name, label=one.label, location=one.geojson(),
            time=max((row.time for row in mine.values()), default=None),
            flow=value.get("traffic_flow"), density=value.get("traffic_density"),
            service=None if grade is None else flow.LETTERS[round(grade) - 1],
            edition=mine["level_of_service"].parameters.get("edition") if grade is not None else None,
            congestion=value.get("congestion_index"),
            incident=value.get("incident_california") == CONFIRMED or value.get("incident_threshold") == 1,
        ))  # fmt: skip
    return found


@router.get("/incidents", summary="Incidents that stand now")
def list_incidents(permit: Reads, database: Database) -> list[schemas.Incident]:
    """By either method; docs/guides/traffic.md has how often each is right."""
    told = latest(database, CHANNEL, ["incident_california", "incident_threshold"], datetime.now(UTC) - FRESH)
    found = []
    for one in permit.visible(places(database, MEASURED), lambda one: one.name):
        pair, fixed = told.get((one.id, "incident_california")), told.get((one.id, "incident_threshold"))
        state, high = round((pair and pair.value) or 0), bool(fixed and fixed.value)
        newest = max((row.time for row in (pair, fixed) if row), default=None)
        if newest is not None and (state or high):
            told_of = schemas.Incident(name=one.name, label=one.label, time=newest, california=state, threshold=high)
            found.append(told_of)
    return found


@router.get("/incidents/measured", summary="How often each method is right")
def measured_methods(permit: Reads) -> list[schemas.MethodMeasured]:
    """Detection rate, false alarms, time to detect on labelled detectors, as `python -m bench.incidents` measured."""
    return [schemas.MethodMeasured.model_validate(row) for row in measured.rows()]
