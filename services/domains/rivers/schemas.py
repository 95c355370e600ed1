"""The shapes of the river service's answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Metres = Annotated[float, Field(ge=-100, le=9000, allow_inf_nan=False)]


class Configuration(BaseModel):
    """What a person configures of a station. Metres in the station's own datum."""

    river: str = Field(default="", max_length=100, examples=["sông Cầu"])
    levels: tuple[Metres, Metres, Metres] = Field(description="alarm levels I, II, III", examples=[(25.0, 26.0, 27.0)])
    verified: list[Literal["I", "II", "III"]] = Field(default=[], description="levels that have a source")
    record: Metres | None = Field(default=None, examples=[29.9])
    datum: Metres | None = Field(default=None, description="elevation of the gauge's zero")
    upstream: str | None = Field(default=None, max_length=255, description="name of the next station up the river")
    lag: float | None = Field(default=None, ge=0, le=48, description="hours from there; null: from history")
    rain_km: float = Field(default=30.0, gt=0, le=300, description="gauges so far around count as upstream")


class Now(BaseModel):
    """What a river does now."""

    time: datetime | None
    level: float | None = Field(description="metres", examples=[24.63])
    flood_level: int | None = Field(description="alarm level reached, 0 to 3", examples=[0])
    rate: float | None = Field(description="metres an hour over the last hour", examples=[0.12])
    fast: bool = Field(description="rises by half a metre an hour or more")
    to_next: float | None = Field(description="metres to the next alarm level", examples=[0.37])
    forecast_level: int | None = Field(description="alarm level within six hours, as forecast")
    rain: dict[str, float | None] = Field(description="mm upstream", examples=[{"1h": 4.2, "3h": 11.0}])


class RiverStation(BaseModel):
    """A station, how it is configured, and what it says."""

    name: str = Field(examples=["river-gia-bay"])
    label: str
    location: dict[str, Any] | None
    configuration: Configuration
    source: str = Field(description="of the configuration: built-in, device, or who set it")
    now: Now


class Ahead(BaseModel):
    """One hour ahead: the line, and the bounds that 10 % and 90 % of past errors lie within."""

    time: datetime
    level: float | None
    low: float | None
    high: float | None


class LeadScore(BaseModel):
    """How good the forecast was at one lead."""

    hours: int
    rmse: float | None = Field(description="metres")
    baseline: float | None = Field(description="of persistence, metres")
    skill: float | None
    inside: float | None = Field(description="share of what came that lay within the band", examples=[0.8])
    pairs: int


class RiverForecast(BaseModel):
    """The next six hours, and how good the method was on the last days (it learnt from them: see the replay too)."""

    method: str
    upstream: str | None
    lag: float | None = Field(description="hours from the station upstream; null: none known")
    items: list[Ahead]
    leads: list[LeadScore]


class ReplayEvent(BaseModel):
    """One line of the timeline."""

    time: datetime
    kind: str = Field(description="level, rise, forecast or peak")
    level: float
    text: dict[str, str]


class ReplayAnswer(BaseModel):
    """The flood of October 2025 at Gia Bảy as this service tells it. The shape between the figures is made up."""

    station: str = "Gia Bảy"
    synthetic: bool = True
    alarms: list[float]
    lag: float | None
    timeline: list[ReplayEvent]
    leads: list[LeadScore]
    times: list[datetime]
    levels: list[float]
