"""The shapes of the air service's answers."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from services.city.reading import Latest, Place
from services.domains.air.bands import Band, band


class BandInfo(BaseModel):
    """A band of the index."""

    key: str = Field(examples=["moderate"])
    to: int = Field(description="the band's last index", examples=[100])
    colour: str = Field(description="the official one", examples=["#ffff00"])
    ink: str = Field(description="of text on it", examples=["#000000"])
    labels: dict[str, str] = Field(examples=[{"vi": "Trung bình", "en": "Moderate"}])
    advice: dict[str, dict[str, str]] = Field(description="group -> language -> sentence")

    @classmethod
    def of(cls, found: Band) -> "BandInfo":
        """From bands.toml."""
        return cls(
            key=found.key, to=found.to, colour=found.colour, ink=found.ink, labels=dict(found.labels),
            advice={group: dict(said) for group, said in found.advice.items()},
        )  # fmt: skip


class Index(BaseModel):
    """An index at a time. `value` null says that there is none: too little data, or no dust sensor."""

    value: int | None = Field(examples=[62])
    time: datetime | None = Field(description="start of the hour or day", examples=["2026-10-08T07:00:00Z"])
    band: str | None = Field(examples=["moderate"])
    worst: str | None = Field(default=None, description="pollutant with the largest index", examples=["pm2_5"])
    sub: dict[str, int] = Field(default_factory=dict, description="index of each pollutant", examples=[{"pm2_5": 62}])

    @classmethod
    def of(cls, found: Latest | None) -> "Index":
        """From the store."""
        if found is None or found.value is None:
            return cls(value=None, time=None, band=None)
        level = band(found.value)
        return cls(
            value=round(found.value), time=found.time, band=level.key if level else None,
            worst=found.parameters.get("worst"), sub=found.parameters.get("sub") or {},
        )  # fmt: skip


class Station(BaseModel):
    """A station and its index."""

    name: str = Field(examples=["station-05440"])
    label: str
    area: str | None
    location: dict[str, Any] | None
    index: Index

    @classmethod
    def of(cls, place: Place, found: Latest | None) -> "Station":
        """From the store."""
        return cls(name=place.name, label=place.label, area=place.area, location=place.geojson(), index=Index.of(found))


class StationDetail(Station):
    """A station with all indices and the advice of its band."""

    day: Index
    us: Index = Field(description="US AQI of dust, 2024: an option beside the official index")
    advice: dict[str, dict[str, str]]


class Commune(BaseModel):
    """A commune's estimated index."""

    area: str = Field(examples=["05440"])
    name: str = Field(examples=["Phường Phan Đình Phùng"])
    location: dict[str, Any] | None
    index: Index


class Communes(BaseModel):
    """All communes at the last hour, how it was estimated and how wrong that was."""

    method: str = Field(examples=["idw-2-5"])
    labels: dict[str, str]
    error: float | None = Field(description="root mean square error, each station left out in turn", examples=[7.4])
    error_time: datetime | None
    items: list[Commune]


class Step(BaseModel):
    """One hour ahead."""

    time: datetime
    value: int | None
    band: str | None


class Lead(BaseModel):
    """How good the forecast was so many hours ahead, on days that it had not seen."""

    hours: int = Field(examples=[24])
    rmse: float | None = Field(examples=[11.2])
    baseline: float | None = Field(description="the same of persistence", examples=[14.9])
    skill: float | None = Field(description="1 - rmse / baseline", examples=[0.25])
    pairs: int


class ForecastAnswer(BaseModel):
    """The next 24 hours, persistence beside it, and the measured skill."""

    method: str
    items: list[Step]
    persistence: int | None = Field(description="the honest baseline: the index stays what it is")
    leads: list[Lead]


class EpisodeAnswer(BaseModel):
    """Hours in a row above 100 (Kém)."""

    start: datetime
    end: datetime = Field(description="end of the last hour")
    hours: int
    peak: int
    mean: float


class Day(BaseModel):
    """One day of the calendar."""

    day: str = Field(examples=["2026-10-08"])
    value: int | None
    band: str | None
    worst: str | None


class SensorWatch(BaseModel):
    """How a station's sensor does."""

    name: str
    label: str
    complete: float = Field(description="share of the hours that have a PM2.5 mean, 0 to 1", examples=[0.97])
    hours: int = Field(description="hours that have one")
    drift: float | None = Field(
        description="how the ratio to the neighbours changed, as a share; null: too few days", examples=[0.04]
    )
    drifts: bool = Field(description="whether that is more than a sensor in order does")
    days: int = Field(description="days compared")


class PublicPlace(BaseModel):
    """A commune for the public page."""

    area: str
    name: str
    value: int | None
    band: str | None
    time: datetime | None
    badge: str = Field(description="address of the picture to embed", examples=["/api/air/public/05440/badge.svg"])


class PublicPage(BaseModel):
    """What the public page shows: estimates of all communes, the scale, how they were made."""

    updated: datetime | None
    estimated: bool = True
    method: dict[str, str]
    error: float | None
    scale: list[BandInfo]
    places: list[PublicPlace]
