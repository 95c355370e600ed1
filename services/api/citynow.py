"""What every city service says in one line, for the first page: /api/domains/now."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.auth.guard import Permit, allowed
from services.city.discovery import discover
from services.city.domain import Domain
from services.city.headline import Headline, Tone
from services.deps import Database
from services.errors import ANSWERS

router = APIRouter(prefix="/api", tags=["city services"], responses=ANSWERS)


class HeadlineOut(BaseModel):
    """The one number of a service that tells most; docs/guides/adding-a-service.md."""

    name: str = Field(description="of the service", examples=["air"])
    service: dict[str, str] = Field(examples=[{"vi": "Không khí", "en": "Air"}])
    labels: dict[str, str] = Field(description="what the number is", examples=[{"vi": "VN_AQI cao nhất", "en": "…"}])
    unit: str = Field(description="UCUM", examples=["1"])
    value: float | None = Field(description="null: there is nothing so new", examples=[87.0])
    tone: Tone
    state: dict[str, str] | None = Field(examples=[{"vi": "Trung bình", "en": "Moderate"}])
    time: datetime | None = Field(description="phenomenonTime of the value")
    thing: str = Field(description="name of the Thing it is of; empty: of many", examples=["aq-01"])
    property: str = Field(description="whose value it is, of that Thing; empty: of none", examples=["vn_aqi"])
    fresh: int = Field(description="Things with something new")
    all: int = Field(description="Things there are")


@router.get("/domains/now", summary="The city services, each in one line")
def headlines(permit: Annotated[Permit, allowed("observations.read")], database: Database) -> list[HeadlineOut]:
    """By name; of what one may see. A service that has no headline is left out."""
    return [_told(domain, domain.headline(database, permit)) for domain in discover() if domain.headline]


def _told(domain: Domain, told: Headline) -> HeadlineOut:
    return HeadlineOut(
        name=domain.name, service=dict(domain.labels), labels=dict(told.labels), unit=told.unit, value=told.value,
        tone=told.tone, state=None if told.state is None else dict(told.state), time=told.time, thing=told.thing,
        fresh=told.fresh, all=told.all, property=told.property,
    )  # fmt: skip
