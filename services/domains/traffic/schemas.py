"""The shapes of the traffic service's answers."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

Name = Annotated[str, Field(min_length=1, max_length=255)]


class Detector(BaseModel):
    """A detector in the last five minutes that are over."""

    name: str = Field(examples=["loop-05440-1"])
    label: str
    location: dict[str, Any] | None
    time: datetime | None
    flow: float | None = Field(description="vehicles an hour", examples=[840.0])
    density: float | None = Field(description="vehicles a kilometre", examples=[21.4])
    service: str | None = Field(description="level of service, A to F", examples=["B"])
    edition: str | None = Field(examples=["HCM 6th edition, 2016"])
    congestion: float | None = Field(description="per cent of the free-flow speed that is lost", examples=[12.0])
    incident: bool = Field(description="confirmed by California #8, or by the fixed threshold")


class Incident(BaseModel):
    """An incident that stands now."""

    name: str
    label: str
    time: datetime
    california: int = Field(description="0 none, 1 tentative, 2 confirmed")
    threshold: bool


class MethodMeasured(BaseModel):
    """How a method did on one labelled series. A time to detect counts from the start of a labelled window."""

    method: str = Field(examples=["occupancy > 25 %, 2 x"])
    series: str = Field(examples=["occupancy_t4013.csv"])
    windows: int = Field(description="labelled ones")
    detected: int
    false: int = Field(description="false alarms")
    false_per_day: float
    false_share: float = Field(description="share of the intervals outside the windows with an alarm, 0 to 1")
    minutes: float | None = Field(default=None, description="mean time to detect; null: nothing was")


class At(BaseModel):
    """A detector on a corridor."""

    thing: Name = Field(examples=["loop-05440-1"])
    km: float = Field(ge=0, le=1000, description="from the start, in the direction of travel")


class CorridorBody(BaseModel):
    """What a person configures of a corridor."""

    vi: str = Field(min_length=1, max_length=200, examples=["Đường Cách Mạng Tháng Tám"])
    en: str = Field(min_length=1, max_length=200, examples=["Cach Mang Thang Tam street"])
    detectors: list[At] = Field(min_length=2, max_length=100)
    km: float = Field(gt=0, le=1000)
    lanes: int = Field(default=1, ge=1, le=10)
    capacity: float = Field(gt=0, le=100_000, description="vehicles an hour, all lanes", examples=[3600.0])
    free: float | None = Field(default=None, gt=0, le=150, description="km/h; null: from the week before")


class CorridorNow(BaseModel):
    """A corridor and how long it takes now."""

    id: str = Field(examples=["demo-1"])
    name: str = Field(description="of the Thing that stands for it")
    configuration: CorridorBody
    source: str
    time: datetime | None
    seconds: float | None = Field(description="by measured speeds", examples=[312.0])
    bpr: float | None = Field(description="by the BPR function of its flows", examples=[290.0])


class TimeSpace(BaseModel):
    """Speeds along a corridor over time, for a heat map: one row a detector, one column five minutes."""

    id: str
    km: list[float]
    detectors: list[str]
    times: list[datetime]
    speeds: list[list[float | None]] = Field(description="km/h")


class PhaseBody(BaseModel):
    """A phase of a signal."""

    vi: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)
    detectors: list[Name] = Field(min_length=1, max_length=20)
    saturation: float = Field(gt=0, le=20_000, description="vehicles an hour of green", examples=[1900.0])


class JunctionBody(BaseModel):
    """What a person configures of a junction."""

    vi: str = Field(min_length=1, max_length=200, examples=["Ngã tư Đồng Quang"])
    en: str = Field(min_length=1, max_length=200, examples=["Dong Quang crossing"])
    phases: list[PhaseBody] = Field(min_length=2, max_length=8)
    lost: float = Field(gt=0, le=60, description="seconds a cycle, all phases together", examples=[12.0])


class JunctionInfo(JunctionBody):
    """A junction."""

    id: str
    source: str


class PhaseAdvice(BaseModel):
    """One phase as advised."""

    vi: str
    en: str
    flow: float | None = Field(description="the largest of its detectors', vehicles an hour")
    green: float | None = Field(description="seconds")
    delay: float | None = Field(description="uniform delay, seconds a vehicle")


class SignalAdvice(BaseModel):
    """Webster's timing for the flows of a stretch of time. Advice for an engineer: nothing is sent to a signal."""

    id: str
    start: datetime
    end: datetime
    method: str = "Webster 1958"
    degree: float | None = Field(description="Y; from 0.95 on there is no cycle that helps", examples=[0.62])
    cycle: float | None = Field(description="seconds", examples=[68.0])
    service: str | None = Field(description="level of service by mean delay", examples=["B"])
    edition: str
    phases: list[PhaseAdvice]
