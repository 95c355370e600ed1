"""What may be asked of the noise service."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field

from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.reading import Latest, latest, places
from services.deps import Database
from services.domains.noise.derive import CHANNEL, FOLDER

router = endpoints(CHANNEL, "noise", ("sound_level",), properties(FOLDER))


class Point(BaseModel):
    """A point where noise is measured."""

    name: str = Field(examples=["noise-05440-1"])
    label: str
    location: dict[str, Any] | None
    leq: float | None = Field(description="of the last hour, dB", examples=[66.4])
    lden: float | None = Field(description="of the last day, dB", examples=[68.9])


@router.get("/points", summary="Noise points now")
def points(permit: Reads, database: Database) -> list[Point]:
    """Leq of the last hour and Lden of the last day, of every point one may see."""
    now = datetime.now(UTC)
    hours = latest(database, CHANNEL, ["leq_1h"], now - timedelta(hours=3))
    days = latest(database, CHANNEL, ["lden"], now - timedelta(days=3))
    seen = permit.visible(places(database, ["sound_level"]), lambda one: one.name)
    return [
        Point(
            name=one.name, label=one.label, location=one.geojson(), leq=_value(hours.get((one.id, "leq_1h"))),
            lden=_value(days.get((one.id, "lden"))),
        )
        for one in seen
    ]  # fmt: skip


def _value(found: Latest | None) -> float | None:
    return None if found is None else found.value
