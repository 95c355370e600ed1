"""Which city services there are: what a page needs to offer them, and to say where a number comes from."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.auth.guard import Permit, allowed
from services.city.discovery import discover
from services.city.domain import Domain
from services.errors import ANSWERS

router = APIRouter(prefix="/api", tags=["city services"], responses=ANSWERS)
Reads = Annotated[Permit, allowed("observations.read")]


class Computed(BaseModel):
    """A property that a service computes, and how."""

    property: str = Field(examples=["vn_aqi"])
    labels: dict[str, str] = Field(examples=[{"vi": "Chỉ số VN_AQI (giờ)", "en": "VN_AQI (hourly)"}])
    unit: str = Field(description="UCUM", examples=["1"])
    formula: str = Field(description="as the Sensor is called in SensorThings", examples=["VN_AQI hourly"])
    method: dict[str, str] = Field(
        description="the same for people", examples=[{"vi": "VN_AQI giờ", "en": "VN_AQI, hourly"}]
    )
    edition: str = Field(examples=["Decision 1459/QĐ-TCMT, 2019"])


class PanelInfo(BaseModel):
    """A panel for dashboards. `data`: the endpoint that fills it."""

    name: str = Field(examples=["air-map"])
    labels: dict[str, str]
    data: str = Field(examples=["/api/air/communes"])


class CityService(BaseModel):
    """A city service: a folder of services/domains."""

    name: str = Field(examples=["air"])
    labels: dict[str, str] = Field(examples=[{"vi": "Không khí", "en": "Air"}])
    properties: list[Computed]
    panels: list[PanelInfo]


@router.get("/domains", summary="The city services")
def list_services(permit: Reads) -> list[CityService]:
    """By name. A page of a service is offered where it stands here: taking its folder out takes its page along."""
    return [_told(domain) for domain in discover()]


def _told(domain: Domain) -> CityService:
    return CityService(
        name=domain.name, labels=dict(domain.labels),
        properties=[
            Computed(property=name, labels=dict(one.labels), unit=one.unit, formula=domain.formulas[name].name,
                     method=dict(domain.formulas[name].labels), edition=domain.formulas[name].edition)
            for name, one in domain.properties.items()
        ],
        panels=[PanelInfo(name=one.name, labels=dict(one.labels), data=one.data) for one in domain.panels],
    )  # fmt: skip
