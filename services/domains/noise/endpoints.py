"""What may be asked of the noise service."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel, Field

from services.city.domain import properties
from services.city.http import Reads, endpoints
from services.city.reading import latest, places
from services.deps import Database
from services.domains.noise import levels
from services.domains.noise.derive import CHANNEL, FOLDER

router = endpoints(CHANNEL, "noise", ("sound_level",), properties(FOLDER))


class Limit(BaseModel):
    """What the noise of an ordinary area may be: QCVN 26:2010/BTNMT, table 1."""

    start: int = Field(description="local hour", examples=[6])
    end: int = Field(description="first local hour no more in it", examples=[21])
    db: float = Field(examples=[70.0])


class NoisePoint(BaseModel):
    """A point where noise is measured."""

    name: str = Field(examples=["noise-05440-1"])
    label: str
    location: dict[str, Any] | None
    time: datetime | None = Field(description="start of the hour", examples=["2026-10-08T07:00:00Z"])
    leq: float | None = Field(description="of that hour, dB", examples=[66.4])
    limit: float | None = Field(description="of an ordinary area in that hour, dB", examples=[70.0])
    lden: float | None = Field(description="of the last day, dB", examples=[68.9])
    day: datetime | None = Field(description="start of that day", examples=["2026-10-07T17:00:00Z"])


@router.get("/limits", summary="The limits by hour")
def limits(permit: Reads) -> list[Limit]:
    """Of an ordinary area, by day and at night."""
    return [Limit(start=start, end=end, db=db) for start, end, db in levels.LIMITS]


@router.get("/points", summary="Noise points now")
def points(permit: Reads, database: Database) -> list[NoisePoint]:
    """Leq of the last hour and Lden of the last day, of every point one may see."""
    now = datetime.now(UTC)
    hours = latest(database, CHANNEL, ["leq_1h"], now - timedelta(hours=3))
    days = latest(database, CHANNEL, ["lden"], now - timedelta(days=3))
    seen = permit.visible(places(database, ["sound_level"]), lambda one: one.name)
    local = timezone(timedelta(hours=permit.state.settings.utc_offset))
    found = []
    for one in seen:
        hour, day = hours.get((one.id, "leq_1h")), days.get((one.id, "lden"))
        found.append(NoisePoint(
            name=one.name, label=one.label, location=one.geojson(),
            time=hour.time if hour else None, leq=hour.value if hour else None,
            limit=levels.limit(hour.time.astimezone(local).hour) if hour else None,
            day=day.time if day else None, lden=day.value if day else None,
        ))  # fmt: skip
    return found
